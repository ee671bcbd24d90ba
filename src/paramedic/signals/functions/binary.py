"""Operators between numbers and vectors: arithmetic, comparison, and, or, unless."""

from collections.abc import Callable
from typing import Any

import numpy as np

from paramedic.model.sample import LabelSet
from paramedic.signals.expression import Binary, EvaluationError, Matching
from paramedic.signals.functions.vector import Vector, array_of, nameless, unique, without_name
from paramedic.signals.series import Values

_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.true_divide,
    "%": np.fmod,
    "^": np.power,
    "atan2": np.arctan2,
}
_COMPARISON: dict[str, Callable[[Any, Any], Any]] = {
    "==": np.equal,
    "!=": np.not_equal,
    ">": np.greater,
    "<": np.less,
    ">=": np.greater_equal,
    "<=": np.less_equal,
}


def scalars(op: str, left: float, right: float) -> float:
    """A number and a number; comparisons give 0 or 1."""
    with np.errstate(all="ignore"):
        return float((_ARITHMETIC.get(op) or _COMPARISON[op])(np.float64(left), np.float64(right)))


def vector_and_scalar(node: Binary, vector: Vector, number: float, swapped: bool) -> Vector:
    """A vector and a number; `swapped` when the number stands on the left."""
    values = array_of(vector)
    sides = (number, values) if swapped else (values, number)
    labels = [each for each, _ in vector]
    with np.errstate(all="ignore"):
        if node.op in _ARITHMETIC:
            return nameless(labels, _ARITHMETIC[node.op](*sides), f"the operator {node.op}")
        holds = _COMPARISON[node.op](*sides)
    if node.return_bool:
        return nameless(labels, holds, f"the operator {node.op}")
    return [item for item, kept in zip(vector, holds, strict=True) if kept]


def vectors(node: Binary, left: Vector, right: Vector) -> Vector:
    """Two vectors whose samples find each other by their labels."""
    matching = node.matching or Matching("one-to-one", False, frozenset())
    if node.op in ("and", "or", "unless"):
        return _set_operation(node.op, matching, left, right)
    swapped = matching.card == "one-to-many"
    many, one = (right, left) if swapped else (left, right)
    pairs = _pairs(matching, many, one, "left" if swapped else "right")
    first, second = (array_of([pair[side] for pair in pairs]) for side in (0, 1))
    if swapped:
        first, second = second, first
    keep, values = _operate(node, first, second)
    result: Vector = []
    for index, (many_side, one_side) in enumerate(pairs):
        if keep[index]:
            result.append((_result_labels(node, matching, many_side[0], one_side[0]), float(values[index])))
    return unique(result, f"the operator {node.op}")


def _operate(node: Binary, first: Values, second: Values) -> tuple[Any, Any]:
    with np.errstate(all="ignore"):
        if node.op in _ARITHMETIC:
            return np.ones(len(first), dtype=bool), _ARITHMETIC[node.op](first, second)
        holds = _COMPARISON[node.op](first, second)
    return (np.ones(len(first), dtype=bool), holds) if node.return_bool else (holds, first)


def _signature(matching: Matching, labels: LabelSet) -> LabelSet:
    if matching.on:
        return tuple(pair for pair in labels if pair[0] in matching.labels)
    return tuple(pair for pair in labels if pair[0] not in matching.labels and pair[0] != "__name__")


def _set_operation(op: str, matching: Matching, left: Vector, right: Vector) -> Vector:
    if op == "or":
        known = {_signature(matching, labels) for labels, _ in left}
        return left + [item for item in right if _signature(matching, item[0]) not in known]
    known = {_signature(matching, labels) for labels, _ in right}
    return [item for item in left if (_signature(matching, item[0]) in known) is (op == "and")]


def _pairs(
    matching: Matching, many: Vector, one: Vector, one_side: str
) -> list[tuple[tuple[LabelSet, float], tuple[LabelSet, float]]]:
    by_signature: dict[LabelSet, tuple[LabelSet, float]] = {}
    for item in one:
        signature = _signature(matching, item[0])
        if signature in by_signature:
            raise EvaluationError(
                f"two series on the {one_side} side match the same group {dict(signature)}: "
                "many-to-many matching is not allowed, the labels must be unique on one side"
            )
        by_signature[signature] = item
    pairs = []
    taken: set[LabelSet] = set()
    for item in many:
        signature = _signature(matching, item[0])
        partner = by_signature.get(signature)
        if partner is None:
            continue
        if matching.card == "one-to-one" and signature in taken:
            raise EvaluationError(
                f"several series on the left match {dict(signature)}: "
                "many-to-one matching must be written out (group_left or group_right)"
            )
        taken.add(signature)
        pairs.append((item, partner))
    return pairs


def _result_labels(node: Binary, matching: Matching, many: LabelSet, one: LabelSet) -> LabelSet:
    labels = without_name(many) if node.op in _ARITHMETIC or node.return_bool else many
    if matching.card == "one-to-one":
        if matching.on:
            labels = tuple(pair for pair in labels if pair[0] in matching.labels)
        elif matching.labels:
            labels = tuple(pair for pair in labels if pair[0] not in matching.labels)
    if not matching.include:
        return labels
    given = dict(one)
    result = {name: value for name, value in labels if name not in matching.include}
    result.update({name: given[name] for name in matching.include if given.get(name)})
    return tuple(sorted(result.items()))
