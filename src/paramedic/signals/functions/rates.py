"""How fast series move: rate, increase, delta and their kin over one window of samples."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from paramedic.signals.series import Times, Values


@dataclass(frozen=True, slots=True)
class Range:
    """The samples of one series in a window, without staleness markers. Milliseconds; never empty."""

    times: Times
    values: Values
    start_ms: int
    end_ms: int
    at_ms: int  # the time of the evaluation; differs from the window's end by the offset


def _extrapolated(window: Range, counter: bool, per_second: bool, compat: int) -> float | None:
    times, values = window.times, window.values
    if len(times) < 2 or window.end_ms <= window.start_ms:
        return None
    first = float(values[0])
    change = float(values[-1]) - first
    if counter:
        drops = values[1:] < values[:-1]
        if drops.any():
            change += float(values[:-1][drops].sum())
    sampled = float(times[-1] - times[0]) / 1000
    interval = sampled / (len(times) - 1)
    to_start = float(times[0] - window.start_ms) / 1000
    to_end = float(window.end_ms - times[-1]) / 1000
    if compat == 2:  # looks at zero first and at the distance after; Prometheus 3 does it the other way round
        to_start = _distance(_not_below_zero(to_start, counter, first, change, sampled), interval)
    else:
        to_start = _not_below_zero(_distance(to_start, interval), counter, first, change, sampled)
    factor = (sampled + to_start + _distance(to_end, interval)) / sampled
    if per_second:
        factor /= (window.end_ms - window.start_ms) / 1000
    return change * factor


def _distance(seconds: float, interval: float) -> float:
    """A series that ends well inside the window is taken to go on for half an interval."""
    return seconds if seconds < interval * 1.1 else interval / 2


def _not_below_zero(to_start: float, counter: bool, first: float, change: float, sampled: float) -> float:
    """A counter cannot have been below zero before its first sample."""
    if counter and change > 0 and first >= 0:
        return min(to_start, sampled * (first / change))
    return to_start


def _last_two(window: Range, counter: bool, per_second: bool) -> float | None:
    if len(window.times) < 2:
        return None
    before, last = float(window.values[-2]), float(window.values[-1])
    seconds = float(window.times[-1] - window.times[-2]) / 1000
    if seconds == 0:
        return None
    change = last if counter and last < before else last - before
    return change / seconds if per_second else change


def _changes(window: Range) -> float:
    before, after = window.values[:-1], window.values[1:]
    return float(np.count_nonzero((before != after) & ~(np.isnan(before) & np.isnan(after))))


def _resets(window: Range) -> float:
    return float(np.count_nonzero(window.values[1:] < window.values[:-1]))


def _regression(window: Range, origin_ms: int) -> tuple[float, float] | None:
    """Slope per second and value at `origin_ms` of the least-squares line."""
    if len(window.times) < 2:
        return None
    values = window.values
    if (values == values[0]).all():
        flat = float(values[0])
        return (float("nan"), float("nan")) if np.isinf(flat) else (0.0, flat)
    x = (window.times - origin_ms) / 1000.0
    middle = x.mean()  # centred: the plain sums cancel badly when the origin is far away
    deviation = x - middle
    slope = float((deviation * (values - values.mean())).sum() / (deviation * deviation).sum())
    return slope, float(values.mean() - slope * middle)


def _deriv(window: Range) -> float | None:
    line = _regression(window, int(window.times[0]))
    return None if line is None else line[0]


def predict_linear(window: Range, seconds: float) -> float | None:
    """Where the line through the window will be `seconds` after the time of the evaluation."""
    line = _regression(window, window.at_ms)
    return None if line is None else line[0] * seconds + line[1]


RATES: dict[str, Callable[[Range, int], float | None]] = {
    "rate": lambda window, compat: _extrapolated(window, True, True, compat),
    "increase": lambda window, compat: _extrapolated(window, True, False, compat),
    "delta": lambda window, compat: _extrapolated(window, False, False, compat),
    "irate": lambda window, _: _last_two(window, True, True),
    "idelta": lambda window, _: _last_two(window, False, False),
    "changes": lambda window, _: _changes(window),
    "resets": lambda window, _: _resets(window),
    "deriv": lambda window, _: _deriv(window),
}
