"""The figures of one server over one window: what its counters and histograms grew by, never what they stand at."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from paramedic.model.sample import LabelSet
from paramedic.signals.series import Matcher, Series, Values, is_stale
from paramedic.signals.vocabulary import Vocabulary


class Samples(Protocol):
    """Where samples are read from."""

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Series]: ...


@dataclass(frozen=True, slots=True)
class Quantile:
    """The value below which a share of the observations lies: somewhere in the bucket (low, high], about `value`.

    `high` and `value` are None where it lies above the last bucket.
    """

    low: float
    high: float | None
    value: float | None


@dataclass(frozen=True, slots=True)
class Distribution:
    """What a histogram grew by: cumulative counts by upper bound, the last of them infinite."""

    buckets: tuple[tuple[float, float], ...]
    sum: float
    count: float

    @property
    def mean(self) -> float | None:
        return self.sum / self.count if self.count else None

    def quantile(self, share: float) -> Quantile | None:
        """None without observations."""
        if not self.count or not self.buckets:
            return None
        rank = share * self.buckets[-1][1]
        low = below = 0.0
        for bound, count in self.buckets:
            if count >= rank and count > below:
                if math.isinf(bound):
                    return Quantile(low, None, None)
                return Quantile(low, bound, low + (bound - low) * max(0.0, rank - below) / (count - below))
            low, below = bound, count
        return Quantile(low, None, None)


class WindowFigures:
    """Asks the samples of one target between two times (UTC milliseconds), by the names of the vocabulary."""

    def __init__(
        self, samples: Samples, vocabulary: Vocabulary, start_ms: int, end_ms: int, matchers: Sequence[Matcher] = ()
    ) -> None:
        self.start_ms, self.end_ms = start_ms, end_ms
        self._samples, self._vocabulary, self._matchers = samples, vocabulary, tuple(matchers)

    @property
    def seconds(self) -> float:
        return (self.end_ms - self.start_ms) / 1000

    def narrowed(self) -> "WindowFigures":
        """The same from the first look to the last inside it: who looked for a minute knows nothing of an hour."""
        times = [int(at) for _, found, _ in self._alive("llm:generation_tokens_total") for at in (found[0], found[-1])]
        if not times or max(times) == min(times):
            return self
        return WindowFigures(self._samples, self._vocabulary, min(times), max(times), self._matchers)

    def distribution(self, name: str, *matchers: Matcher) -> Distribution | None:
        """What a histogram grew by, over all its series; None where it is not there or was seen but once."""
        bounds: dict[float, float] = {}
        seen = False
        for labels, grown in self._grown(f"{name}_bucket", *matchers):
            bound = float(dict(labels).get("le", "nan"))
            bounds[bound] = bounds.get(bound, 0.0) + grown
            seen = True
        total, count = self.growth(f"{name}_sum", *matchers), self.growth(f"{name}_count", *matchers)
        if not seen or total is None or count is None:
            return None
        return Distribution(tuple(sorted(bounds.items())), total, count)

    def growth(self, name: str, *matchers: Matcher) -> float | None:
        """What a counter grew by, over all its series and over restarts; None where it is not there."""
        grown = [value for _, value in self._grown(name, *matchers)]
        return sum(grown) if grown else None

    def growth_by(self, name: str, label: str) -> dict[str, float]:
        """What a counter grew by, for each value of a label."""
        result: dict[str, float] = {}
        for labels, grown in self._grown(name):
            key = dict(labels).get(label, "")
            result[key] = result.get(key, 0.0) + grown
        return result

    def mean(self, name: str, *matchers: Matcher) -> float | None:
        """A gauge over the window, its series added up at each time; None where it is not there."""
        levels = self._levels(name, *matchers)
        return sum(levels) / len(levels) if levels else None

    def average(self, name: str, *matchers: Matcher) -> float | None:
        """A gauge over the window and over its series: of what does not add up, such as times and shares."""
        values = [value for _, _, found in self._alive(name, *matchers) for value in found if not math.isnan(value)]
        return float(sum(values) / len(values)) if values else None

    def highest(self, name: str, *matchers: Matcher) -> float | None:
        """The most that a gauge showed, its series added up at each time."""
        return max(self._levels(name, *matchers), default=None)

    def last(self, name: str, *matchers: Matcher) -> float | None:
        """What it stood at in the end; of several series the highest."""
        return max((float(values[-1]) for _, _, values in self._alive(name, *matchers)), default=None)

    def _grown(self, name: str, *matchers: Matcher) -> Iterator[tuple[LabelSet, float]]:
        for labels, _, values in self._alive(name, *matchers):
            if len(values) < 2:
                continue
            drops = values[1:] < values[:-1]
            yield labels, float(values[-1] - values[0] + values[:-1][drops].sum())

    def _levels(self, name: str, *matchers: Matcher) -> list[float]:
        at: dict[int, float] = {}
        for _, times, values in self._alive(name, *matchers):
            for time, value in zip(times.tolist(), values.tolist(), strict=True):
                if not math.isnan(value):
                    at[time] = at.get(time, 0.0) + value
        return list(at.values())

    def _alive(self, name: str, *matchers: Matcher) -> "Iterator[tuple[LabelSet, np.ndarray, Values]]":
        wanted = (*self._matchers, *matchers)
        for series in self._vocabulary.read(
            name, wanted, lambda each: self._samples.select(each, self.start_ms, self.end_ms)
        ):
            alive = ~is_stale(series.values)
            if alive.any():
                yield series.labels, series.times[alive], series.values[alive]
