"""What every SampleStore promises, tried on each of them."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paramedic.adapters.storage.samples_memory import MemorySamples
from paramedic.adapters.storage.samples_sqlite import SqliteSamples
from paramedic.model.sample import LabelSet, Scrape, label_set
from paramedic.ports import SampleStore
from paramedic.signals.series import Matcher, is_stale

NOON_MS = 1_700_049_600_000  # 12:00 UTC
A, B, C = label_set("up", target="a"), label_set("up", target="b"), label_set("queue", target="a")
UP = Matcher("__name__", "=", "up")

Make = Callable[[Path], SampleStore]


@pytest.fixture(params=[lambda _: MemorySamples(), SqliteSamples], ids=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SampleStore]:
    made: SampleStore = request.param(tmp_path / "samples")
    yield made
    made.close()


def scrape(second: float, samples: dict[LabelSet, float], source: str = "engine:a") -> Scrape:
    return Scrape(source, NOON_MS * 1_000_000 + int(second * 1e9), list(samples), list(samples.values()))


def read(
    store: SampleStore, *matchers: Matcher, first: float = -1e5, last: float = 1e5
) -> dict[LabelSet, list[tuple[float, float]]]:
    """By label set the samples, in seconds after noon; a staleness marker reads as -1."""
    found = store.select(matchers, int(NOON_MS + first * 1000), int(NOON_MS + last * 1000))
    return {
        each.labels: [
            ((int(at) - NOON_MS) / 1000, -1.0 if ended else float(value))
            for at, value, ended in zip(each.times, each.values, is_stale(each.values), strict=True)
        ]
        for each in found
    }


def test_what_was_appended_is_read(store: SampleStore) -> None:
    store.append(scrape(0, {A: 1, C: 7}))
    store.append(scrape(5, {A: 2, C: 8}))
    assert read(store, UP) == {A: [(0, 1), (5, 2)]}
    assert read(store, Matcher("target", "=", "a")) == {A: [(0, 1), (5, 2)], C: [(0, 7), (5, 8)]}


def test_both_ends_of_the_window_belong_to_it(store: SampleStore) -> None:
    for second in range(0, 25, 5):
        store.append(scrape(second, {A: second}))
    assert read(store, UP, first=5, last=15) == {A: [(5, 5), (10, 10), (15, 15)]}
    assert read(store, UP, first=21, last=99) == {}


@pytest.mark.parametrize(
    ("matcher", "expected"),
    [
        (Matcher("target", "!=", "a"), {B}),
        (Matcher("target", "=~", "a|b"), {A, B}),
        (Matcher("target", "!~", "b|c"), {A}),
        (Matcher("zone", "=", ""), {A, B}),
        (Matcher("zone", "=~", ".+"), set()),
    ],
)
def test_matchers(store: SampleStore, matcher: Matcher, expected: set[LabelSet]) -> None:
    store.append(scrape(0, {A: 1, B: 1}))
    assert set(read(store, UP, matcher)) == expected


def test_a_series_that_is_missing_becomes_stale_once(store: SampleStore) -> None:
    store.append(scrape(0, {A: 1, C: 1}))
    store.append(scrape(5, {A: 1}))
    store.append(scrape(10, {A: 1}))
    store.append(scrape(15, {A: 1, C: 3}))
    assert read(store) == {A: [(0, 1), (5, 1), (10, 1), (15, 1)], C: [(0, 1), (5, -1), (15, 3)]}


def test_an_empty_scrape_ends_every_series_of_its_source_only(store: SampleStore) -> None:
    store.append(scrape(0, {A: 1}))
    store.append(scrape(1, {B: 1}, source="probe:a"))
    store.append(scrape(5, {}))
    store.append(scrape(10, {}))
    assert read(store) == {A: [(0, 1), (5, -1)], B: [(1, 1)]}


def test_nan_is_no_end(store: SampleStore) -> None:
    store.append(scrape(0, {A: math.nan, B: math.inf}))
    assert math.isnan(read(store, UP)[A][0][1])
    assert read(store, UP)[B] == [(0, math.inf)]


def test_one_series_of_two_sources_is_one_series(store: SampleStore) -> None:
    store.append(scrape(0, {A: 1}))
    store.append(scrape(5, {A: 2}, source="probe:a"))
    store.append(scrape(10, {A: 3}))
    assert read(store, UP) == {A: [(0, 1), (5, 2), (10, 3)]}


def test_a_clock_set_back_replaces_what_was_seen_in_that_future(store: SampleStore) -> None:
    for second in (0, 5, 10):
        store.append(scrape(second, {A: second}))
    store.append(scrape(5, {A: 50}))
    assert read(store, UP) == {A: [(0, 0), (5, 50)]}
    store.append(scrape(10, {A: 100}))
    assert read(store, UP) == {A: [(0, 0), (5, 50), (10, 100)]}


def test_what_is_read_is_not_changed_by_what_follows(store: SampleStore) -> None:
    store.append(scrape(0, {A: 1}))
    (before,) = store.select([UP], NOON_MS, NOON_MS)
    copy = before.values.copy()
    store.append(scrape(0, {A: 9}))
    for second in range(1, 300):
        store.append(scrape(second, {A: 9}))
    assert np.array_equal(before.values, copy)


def test_hours_of_samples_are_all_there(store: SampleStore) -> None:
    for second in range(0, 2 * 3600, 30):
        store.append(scrape(second, {A: second, label_set("mayfly", n=str(second)): 1}))
    assert read(store, UP)[A] == [(second, second) for second in range(0, 2 * 3600, 30)]
    assert read(store, Matcher("n", "=", "600"))[label_set("mayfly", n="600")] == [(600, 1), (630, -1)]


def test_prune_leaves_what_is_recent(store: SampleStore) -> None:
    store.append(scrape(0, {A: 1}))
    store.prune(NOON_MS * 1_000_000 + 10**9)
    assert read(store, UP) == {A: [(0, 1)]}


SERIES = [label_set("x", n=str(number)) for number in range(4)]


@given(
    scrapes=st.lists(
        st.tuples(
            st.integers(1, 400_000), st.dictionaries(st.sampled_from(SERIES), st.floats(0, 1e6), max_size=len(SERIES))
        ),
        max_size=30,
    ),
    reopen=st.integers(0, 30),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_disk_and_memory_agree_also_after_a_restart(
    tmp_path_factory: pytest.TempPathFactory, scrapes: list[tuple[int, dict[LabelSet, float]]], reopen: int
) -> None:
    folder = tmp_path_factory.mktemp("samples")
    memory, disk = MemorySamples(), SqliteSamples(folder)
    at = 0.0
    for index, (wait_ms, samples) in enumerate(scrapes):
        at += wait_ms / 1000
        if index == reopen:
            disk.close()
            disk = SqliteSamples(folder)
        for store in (memory, disk):
            store.append(scrape(at, samples))
    assert read(disk) == read(memory)
    assert read(disk, first=at - 600) == read(memory, first=at - 600)
    watcher = SqliteSamples.open_read_only(folder)
    assert read(watcher) == read(memory)
    disk.close()
    assert disk.last_error == watcher.last_error == ""
