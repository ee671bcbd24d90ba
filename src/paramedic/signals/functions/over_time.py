"""One number from all the samples of a window: the *_over_time functions."""

from collections.abc import Callable

import numpy as np

from paramedic.signals.series import Values

OVER_TIME: dict[str, Callable[[Values], float]] = {
    "avg_over_time": lambda values: float(values.mean()),
    "count_over_time": lambda values: float(len(values)),
    "last_over_time": lambda values: float(values[-1]),
    "max_over_time": lambda values: float(np.fmax.reduce(values)),
    "min_over_time": lambda values: float(np.fmin.reduce(values)),
    "present_over_time": lambda _: 1.0,
    "stddev_over_time": lambda values: float(values.std()),
    "stdvar_over_time": lambda values: float(values.var()),
    "sum_over_time": lambda values: float(values.sum()),
}


def quantile(fraction: float, values: Values) -> float:
    """The linearly interpolated quantile; NaN counts as the smallest value, as in Prometheus."""
    if len(values) == 0 or np.isnan(fraction):
        return float("nan")
    if fraction < 0:
        return float("-inf")
    if fraction > 1:
        return float("inf")
    ordered = np.sort(values)
    missing = int(np.count_nonzero(np.isnan(values)))
    ordered = np.roll(ordered, missing)  # numpy sorts NaN last
    rank = fraction * (len(ordered) - 1)
    low = int(np.floor(rank))
    high = min(low + 1, len(ordered) - 1)
    weight = rank - low
    return float(ordered[low] * (1 - weight) + ordered[high] * weight)
