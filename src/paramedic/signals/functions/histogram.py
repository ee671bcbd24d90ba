"""Quantiles of classic histograms, from their cumulative buckets."""

import math

from paramedic.model.sample import LabelSet
from paramedic.signals.functions.vector import Vector


def histogram_quantile(fraction: float, vector: Vector) -> Vector:
    """The quantile of each histogram in the vector, interpolated within its bucket."""
    groups: dict[LabelSet, dict[float, float]] = {}
    for labels, count in vector:
        bound = _bound(labels)
        if bound is None:
            continue
        rest = tuple(pair for pair in labels if pair[0] not in ("__name__", "le"))
        buckets = groups.setdefault(rest, {})
        buckets[bound] = buckets.get(bound, 0.0) + count
    return [(labels, _quantile(fraction, sorted(buckets.items()))) for labels, buckets in groups.items()]


def _bound(labels: LabelSet) -> float | None:
    for name, value in labels:
        if name == "le":
            try:
                return float(value)
            except ValueError:
                return None
    return None


def _quantile(fraction: float, buckets: list[tuple[float, float]]) -> float:
    if math.isnan(fraction):
        return math.nan
    if fraction < 0:
        return -math.inf
    if fraction > 1:
        return math.inf
    bounds = [bound for bound, _ in buckets]
    counts: list[float] = []
    for _, count in buckets:  # what was seen between two scrapes of one exposition can make a bucket shrink
        counts.append(counts[-1] if counts and count < counts[-1] else count)
    if not math.isinf(bounds[-1]) or len(bounds) < 2 or counts[-1] == 0 or math.isnan(counts[-1]):
        return math.nan
    rank = fraction * counts[-1]
    index = next((i for i, count in enumerate(counts[:-1]) if count >= rank), len(counts) - 1)
    if index == len(bounds) - 1:
        return bounds[-2]
    if index == 0 and bounds[0] <= 0:
        return bounds[0]
    start, below = (bounds[index - 1], counts[index - 1]) if index else (0.0, 0.0)
    inside = counts[index] - below
    if inside == 0:
        return math.nan
    return start + (bounds[index] - start) * (rank - below) / inside
