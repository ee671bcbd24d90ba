"""The samples of the last while in memory: one row of numbers a scrape, one column a series."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from paramedic.model.sample import LabelSet
from paramedic.signals.series import STALE, STALE_BITS, Matcher, Series, Times, Values

_NONE_BITS = 0x7FF00000000000AA  # "no sample here": a NaN of our own that never leaves this module
_NONE = np.array([_NONE_BITS], dtype=np.uint64).view(np.float64)[0]


@dataclass(frozen=True, slots=True)
class Row:
    """What is kept of one scrape: its samples, and a staleness marker for each series that has ended."""

    source: str
    at_ms: int
    series: Sequence[LabelSet]
    values: Values
    set_back: bool = False  # the source's clock was set back: what it said of this time and after is void


@dataclass(slots=True)
class _Source:
    """The block of one source: `values[series, row]`, rows ascending in time."""

    times: Times = field(default_factory=lambda: np.empty(64, dtype=np.int64))
    values: Values = field(default_factory=lambda: np.full((0, 64), _NONE))
    rows: int = 0
    labels: list[LabelSet] = field(default_factory=list)
    column: dict[LabelSet, int] = field(default_factory=dict)
    layout: Sequence[LabelSet] = ()  # of the newest row
    layout_columns: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    alive: frozenset[LabelSet] = frozenset()  # series of the newest row that have not ended
    matched: dict[tuple[Matcher, ...], list[int]] = field(default_factory=dict)


class Ring:
    """Samples by source, not older than `keep_ms` before the newest one."""

    def __init__(self, keep_ms: int) -> None:
        self._keep_ms = keep_ms
        self._sources: dict[str, _Source] = {}
        self.newest_ms = 0

    def append(self, source: str, at_ms: int, series: Sequence[LabelSet], values: Sequence[float]) -> Row:
        """Keep one scrape; what it says of a time that was already seen (a clock set back) replaces it."""
        block = self._sources.setdefault(source, _Source())
        numbers = np.array(values, dtype=np.float64)
        set_back = block.rows > 0 and at_ms <= int(block.times[block.rows - 1])
        if series is block.layout or series == block.layout:
            row = Row(source, at_ms, block.layout, numbers, set_back)
        else:
            ended = sorted(block.alive.difference(series))
            numbers = np.concatenate([numbers, np.full(len(ended), STALE)])
            row = Row(source, at_ms, [*series, *ended] if ended else series, numbers, set_back)
            block.alive = frozenset(series)
            self._set_layout(block, row.series)
            if ended:
                block.layout = ()  # the next row has not these endings again: look at it anew
        self._write(block, row)
        return row

    def load(self, row: Row) -> None:
        """Keep a row as it was kept before."""
        block = self._sources.setdefault(row.source, _Source())
        if row.series != block.layout:
            self._set_layout(block, row.series)
        ended = row.values.view(np.uint64) == STALE_BITS
        if ended.any():
            block.alive = frozenset(labels for labels, end in zip(row.series, ended, strict=True) if not end)
            self._write(block, row)
            block.layout = ()
        else:
            block.alive = frozenset(row.series)
            self._write(block, row)

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Series]:
        """Every series that matches, with its samples in [start_ms, end_ms]."""
        result: list[Series] = []
        key = tuple(matchers)
        for block in self._sources.values():
            columns = block.matched.get(key)
            if columns is None:
                columns = [
                    index
                    for index, labels in enumerate(block.labels)
                    if all(matcher.matches(labels) for matcher in matchers)
                ]
                block.matched[key] = columns
            if not columns:
                continue
            times = block.times[: block.rows]
            low = int(np.searchsorted(times, start_ms, "left"))
            high = int(np.searchsorted(times, end_ms, "right"))
            for index in columns if low < high else ():
                values = block.values[index, low:high]
                there = values.view(np.uint64) != _NONE_BITS
                if there.all():
                    result.append(Series(block.labels[index], times[low:high].copy(), values.copy()))
                elif there.any():
                    result.append(Series(block.labels[index], times[low:high][there], values[there]))
        return result

    def forget(self, before_ms: int) -> None:
        """Drop what is older, and the sources that have given nothing since."""
        for source, block in list(self._sources.items()):
            if not block.rows or block.times[block.rows - 1] < before_ms:
                del self._sources[source]
            elif block.times[0] < before_ms:
                self._make_room(block, before_ms + self._keep_ms)

    def _set_layout(self, block: _Source, series: Sequence[LabelSet]) -> None:
        new = [labels for labels in series if labels not in block.column]
        if new:
            for labels in new:
                block.column[labels] = len(block.labels)
                block.labels.append(labels)
            more = np.full((len(new), block.values.shape[1]), _NONE)
            block.values = np.concatenate([block.values, more])
            block.matched.clear()
        block.layout = series
        block.layout_columns = np.array([block.column[labels] for labels in series], dtype=np.int64)

    def _write(self, block: _Source, row: Row) -> None:
        if block.rows and row.at_ms <= block.times[block.rows - 1]:
            kept = int(np.searchsorted(block.times[: block.rows], row.at_ms, "left"))
            block.values[:, kept : block.rows] = _NONE
            block.rows = kept
            self.newest_ms = max(
                (int(each.times[each.rows - 1]) for each in self._sources.values() if each.rows), default=0
            )
        if block.rows == len(block.times):
            self._make_room(block, row.at_ms)
        block.times[block.rows] = row.at_ms
        block.values[block.layout_columns, block.rows] = row.values
        block.rows += 1
        self.newest_ms = max(self.newest_ms, row.at_ms)

    def _make_room(self, block: _Source, at_ms: int) -> None:
        """Forget what is too old, and the series that are then without a sample; grow when that is too little."""
        first = int(np.searchsorted(block.times[: block.rows], at_ms - self._keep_ms, "left"))
        kept = block.rows - first
        size = max(64, len(block.times) if kept <= len(block.times) // 2 else 2 * len(block.times))
        times = np.empty(size, dtype=np.int64)
        times[:kept] = block.times[first : block.rows]
        values = np.full((len(block.labels), size), _NONE)
        values[:, :kept] = block.values[:, first : block.rows]
        used = (values[:, :kept].view(np.uint64) != _NONE_BITS).any(axis=1)
        used[block.layout_columns] = True
        block.times, block.values, block.rows = times, values, kept
        if not used.all():
            block.values = values[used]
            block.labels = [labels for labels, keep in zip(block.labels, used, strict=True) if keep]
            block.column = {labels: index for index, labels in enumerate(block.labels)}
            columns = np.cumsum(used) - 1
            block.layout_columns = columns[block.layout_columns]
            block.matched.clear()


def merged(parts: Sequence[Series]) -> list[Series]:
    """One series a label set: samples in order of time, of two at one time the one of the later part."""
    by_labels: dict[LabelSet, list[Series]] = {}
    for series in parts:
        by_labels.setdefault(series.labels, []).append(series)
    if len(by_labels) == len(parts):
        return list(parts)
    result = []
    for labels, pieces in by_labels.items():
        if len(pieces) == 1:
            result.append(pieces[0])
            continue
        times = np.concatenate([piece.times for piece in pieces])
        values = np.concatenate([piece.values for piece in pieces])
        order = np.argsort(times, kind="stable")
        times, values = times[order], values[order]
        last = np.append(times[1:] != times[:-1], True)
        result.append(Series(labels, times[last], values[last]))
    return result
