"""Aggregations: many samples of a vector become one a group, or the first few of a group."""

import math
from collections.abc import Callable

import numpy as np

from paramedic.model.sample import LabelSet
from paramedic.signals.expression import Aggregate
from paramedic.signals.functions.over_time import quantile
from paramedic.signals.functions.vector import Vector
from paramedic.signals.series import Values

_REDUCE: dict[str, Callable[[Values], float]] = {
    "avg": lambda values: float(values.mean()),
    "count": lambda values: float(len(values)),
    "group": lambda _: 1.0,
    "max": lambda values: float(np.fmax.reduce(values)),
    "min": lambda values: float(np.fmin.reduce(values)),
    "stddev": lambda values: float(values.std()),
    "stdvar": lambda values: float(values.var()),
    "sum": lambda values: float(values.sum()),
}
AGGREGATIONS = frozenset({*_REDUCE, "bottomk", "quantile", "topk"})


def aggregate(node: Aggregate, vector: Vector, param: float | None) -> Vector:
    """Apply the aggregation; `param` is the k of topk or the fraction of quantile."""
    groups: dict[LabelSet, Vector] = {}
    for labels, value in vector:
        groups.setdefault(_group(node, labels), []).append((labels, value))
    if node.op in ("topk", "bottomk"):
        return [item for members in groups.values() for item in _first(node.op, members, param or 0.0)]
    result: Vector = []
    with np.errstate(all="ignore"):
        for labels, members in groups.items():
            values = np.array([value for _, value in members], dtype=np.float64)
            if node.op == "quantile":
                result.append((labels, quantile(math.nan if param is None else param, values)))
            else:
                result.append((labels, _REDUCE[node.op](values)))
    return result


def _group(node: Aggregate, labels: LabelSet) -> LabelSet:
    if node.without:
        return tuple(pair for pair in labels if pair[0] not in node.labels and pair[0] != "__name__")
    return tuple(pair for pair in labels if pair[0] in node.labels)


def _first(op: str, members: Vector, k: float) -> Vector:
    if math.isnan(k) or k < 1:
        return []
    sign = -1.0 if op == "topk" else 1.0
    ordered = sorted(members, key=lambda item: (math.isnan(item[1]), sign * item[1]))
    return ordered[: min(int(min(k, len(members))), len(members))]
