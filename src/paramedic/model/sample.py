"""Numbers as they were seen: one scrape of one target, and series over time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LabelSet = tuple[tuple[str, str], ...]  # sorted by name; the metric's own name is the label __name__


def label_set(name: str, labels: Mapping[str, str] | None = None, **more: str) -> LabelSet:
    """The sorted label set of a metric; empty values are no labels."""
    everything = {"__name__": name, **(labels or {}), **more}
    return tuple(sorted((key, value) for key, value in everything.items() if value))


@dataclass(frozen=True, slots=True)
class Scrape:
    """What one look at one target gave: parallel label sets and values, all at one time.

    `at` is UTC nanoseconds. The target's own labels (job, instance, target) are already in each set.
    """

    source: str  # who gave it: "engine:NAME", "probe:NAME"; a source's series missing from its next scrape are stale
    at: int
    series: Sequence[LabelSet]
    values: Sequence[float]
