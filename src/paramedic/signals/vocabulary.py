"""One set of names (`llm:...`) for what every engine and version calls differently."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

import numpy as np

from paramedic.model.sample import LabelSet
from paramedic.model.text import Text
from paramedic.signals.series import Matcher, Series, is_stale

Kind = Literal["gauge", "counter", "histogram"]
_HISTOGRAM_PARTS = ("_bucket", "_sum", "_count")
_TARGET_LABELS = ("target", "job", "instance")

Fetch = Callable[[Sequence[Matcher]], list[Series]]


@dataclass(frozen=True, slots=True)
class RawName:
    """What one engine calls it: a metric name and the label values that single it out (dropped on reading)."""

    name: str
    labels: tuple[tuple[str, str], ...] = ()

    @property
    def matchers(self) -> tuple[Matcher, ...]:
        return (Matcher("__name__", "=", self.name), *(Matcher(key, "=", value) for key, value in self.labels))


@dataclass(frozen=True, slots=True)
class Term:
    """A name of ours: its kind, its meaning, and the raw names, the newest version's first."""

    name: str
    kind: Kind
    text: Text
    raw: tuple[RawName, ...]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All names of ours. A name that it does not know is a raw name and stands for itself."""

    terms: Mapping[str, Term] = field(default_factory=dict)

    def names(self) -> list[str]:
        """Every name that a selector may use; a histogram has three."""
        result: list[str] = []
        for term in self.terms.values():
            if term.kind == "histogram":
                result.extend(term.name + part for part in _HISTOGRAM_PARTS)
            else:
                result.append(term.name)
        return result

    def resolve(self, name: str) -> tuple[RawName, ...] | None:
        """The raw names behind a name of ours; None for every other name."""
        if term := self.terms.get(name):
            return None if term.kind == "histogram" else term.raw
        for part in _HISTOGRAM_PARTS:
            if name.endswith(part) and (term := self.terms.get(name.removesuffix(part))):
                if term.kind != "histogram":
                    return None
                return tuple(RawName(raw.name + part, raw.labels) for raw in term.raw)
        return None

    def read(self, name: str, matchers: Sequence[Matcher], fetch: Fetch) -> list[Series]:
        """The series of a selector. Where a target has several of the raw names, the one that spoke last counts."""
        raws = self.resolve(name)
        if raws is None:
            return fetch((Matcher("__name__", "=", name), *matchers) if name else tuple(matchers))
        found = [(index, series) for index, raw in enumerate(raws) for series in fetch((*raw.matchers, *matchers))]
        if len({index for index, _ in found}) > 1:
            found = _newest_of_each_target(found)
        return [
            Series(_renamed(series.labels, name, raws[index].labels), series.times, series.values)
            for index, series in found
        ]


def _newest_of_each_target(found: list[tuple[int, Series]]) -> list[tuple[int, Series]]:
    newest: dict[tuple[str, ...], tuple[int, int]] = {}
    for index, series in found:
        candidate = (_last_alive(series), -index)
        target = _target(series)
        newest[target] = max(newest.get(target, candidate), candidate)
    return [(index, series) for index, series in found if newest[_target(series)][1] == -index]


def _last_alive(series: Series) -> int:
    alive = np.flatnonzero(~is_stale(series.values))
    return int(series.times[alive[-1]]) if len(alive) else -1


def _target(series: Series) -> tuple[str, ...]:
    labels = dict(series.labels)
    return tuple(labels.get(name, "") for name in _TARGET_LABELS)


@lru_cache(maxsize=65536)
def _renamed(labels: LabelSet, name: str, dropped: tuple[tuple[str, str], ...]) -> LabelSet:
    kept = {key: value for key, value in labels if (key, value) not in dropped}
    return tuple(sorted({**kept, "__name__": name}.items()))
