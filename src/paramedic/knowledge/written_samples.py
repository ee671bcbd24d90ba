"""Samples written as data, for proofs: a selector and its values, one a second, as `16x40 ..+2x10 _x5`."""

import re
from collections.abc import Mapping, Sequence

import numpy as np

from paramedic.diagnosis.numbers import SampledNumbers, Times
from paramedic.knowledge.lexicon import shipped_vocabulary
from paramedic.model.sample import label_set
from paramedic.signals.evaluate import Evaluator
from paramedic.signals.expression import Selector
from paramedic.signals.promql import PromQLError, parse
from paramedic.signals.series import Matcher, Series

BEGIN = 1_800_000_000  # epoch seconds of the first sample
FRESH_MS = 5000  # how old a sample may be that counts
TARGET = "one"
PART = re.compile(r"(?P<first>-?[\d.]+|_|\.\.)(?P<step>[+-][\d.]+)?x(?P<times>\d+)")


class WrittenSamples:
    """Samples that somebody wrote down. ValueError says what is no selector, or no values."""

    def __init__(self, text: Mapping[str, str]) -> None:
        self._series = [_series(selector, values) for selector, values in text.items()]
        self.seconds = max((int(each.times[-1]) // 1000 - BEGIN for each in self._series if len(each.times)), default=0)

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Series]:
        found = []
        for series in self._series:
            if all(matcher.matches(series.labels) for matcher in matchers):
                low, high = np.searchsorted(series.times, [start_ms, end_ms + 1])
                if low < high:
                    found.append(Series(series.labels, series.times[low:high], series.values[low:high]))
        return found


def numbers_of(text: Mapping[str, str], baseline: Mapping[str, str] | None = None) -> SampledNumbers:
    """The samples of one target, as a recording would hold them. Raises ValueError."""
    samples = WrittenSamples(text)
    evaluator = Evaluator(samples, shipped_vocabulary(), FRESH_MS)
    known = numbers_of(baseline) if baseline else None
    return SampledNumbers(evaluator, TARGET, Times(BEGIN, BEGIN + samples.seconds), baseline=known)


def expanded(text: str) -> list[float]:
    """`ax3` is a a a; `a+bx3` is a a+b a+2b; `..+bx3` goes on from the last value; `_x3`: 3 s of nothing."""
    values: list[float] = []
    for part in text.split():
        found = PART.fullmatch(part)
        if found is None or (found["first"] == ".." and not values):
            raise ValueError(f"{part!r} is no run of values (write 16x40, 0+5x40, ..+5x40 or _x40)")
        count, step = int(found["times"]), float(found["step"] or 0)
        if found["first"] == "_":
            values += [float("nan")] * count
            continue
        first = values[-1] + step if found["first"] == ".." else float(found["first"])
        values += [first + step * index for index in range(count)]
    return values


def _series(selector: str, text: str) -> Series:
    try:
        root = parse(selector).root
    except PromQLError as error:
        raise ValueError(str(error)) from error
    if not isinstance(root, Selector) or not root.name:
        raise ValueError(f"{selector!r} is no name of a series")
    values = np.array(expanded(text))
    times = (BEGIN + np.arange(len(values), dtype=np.int64)) * 1000
    there = ~np.isnan(values)
    labels = label_set(root.name, {each.name: each.value for each in root.matchers}, target=TARGET)
    return Series(labels, times[there], values[there])
