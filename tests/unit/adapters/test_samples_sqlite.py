"""The disk may be full, damaged, read-only or read by others: samples go on."""

import os
import sqlite3
from pathlib import Path

import pytest

from paramedic.adapters.storage.samples_sqlite import RING_MS, SqliteSamples
from paramedic.model.errors import CouldNotTell
from paramedic.model.sample import Scrape, label_set
from paramedic.signals.series import Matcher

DAY_NS = 24 * 3600 * 10**9
NOON = 1_700_049_600 * 10**9
UP = label_set("up", target="a")
MATCH = [Matcher("__name__", "=", "up")]


def scrape(at: int, value: float) -> Scrape:
    return Scrape("engine:a", at, [UP], [value])


def read(store: SqliteSamples, start: int, end: int) -> list[float]:
    return [value for series in store.select(MATCH, start // 10**6, end // 10**6) for value in series.values.tolist()]


def test_a_day_is_a_file_and_a_window_over_midnight_is_whole(tmp_path: Path) -> None:
    store = SqliteSamples(tmp_path)
    midnight = NOON + DAY_NS // 2
    for offset in range(-3, 3):
        store.append(scrape(midnight + offset * 10**9, offset))
    assert sorted(path.name for path in tmp_path.glob("*.db")) == ["samples-2023-11-15.db", "samples-2023-11-16.db"]
    assert read(store, midnight - 10**10, midnight + 10**10) == [-3, -2, -1, 0, 1, 2]
    assert read(store, midnight - DAY_NS, midnight + 10**10) == [-3, -2, -1, 0, 1, 2]
    store.close()
    again = SqliteSamples(tmp_path)
    assert read(again, midnight - 10**10, midnight + 10**10) == [-3, -2, -1, 0, 1, 2]
    again.close()


def test_prune_deletes_old_days_whole(tmp_path: Path) -> None:
    store = SqliteSamples(tmp_path, retention_days=2)
    for day in range(5):
        store.append(scrape(NOON + day * DAY_NS, day))
    store.prune(NOON + 4 * DAY_NS)
    assert [path.stem[-2:] for path in sorted(tmp_path.glob("*.db"))] == ["17", "18", "19"]
    assert read(store, NOON, NOON + 4 * DAY_NS) == [2, 3, 4]
    store.close()


def test_prune_keeps_the_folder_small_but_never_deletes_today(tmp_path: Path) -> None:
    store = SqliteSamples(tmp_path, max_bytes=1)
    for day in range(3):
        store.append(scrape(NOON + day * DAY_NS, day))
    store.prune(NOON + 2 * DAY_NS)
    assert [path.stem[-2:] for path in tmp_path.glob("*.db")] == ["17"]
    store.close()


def test_a_reader_sees_what_a_writer_has_appended(tmp_path: Path) -> None:
    writer = SqliteSamples(tmp_path)
    writer.append(scrape(NOON, 1))
    reader = SqliteSamples.open_read_only(tmp_path)
    assert read(reader, NOON, NOON) == [1]
    writer.append(scrape(NOON + 10**9, 2))
    reader.refresh()
    assert read(reader, NOON, NOON + 10**9) == [1, 2]
    assert reader.newest_ms == NOON // 10**6 + 1000
    with pytest.raises(CouldNotTell):
        reader.append(scrape(NOON + 2 * 10**9, 3))
    writer.close()
    reader.close()


def test_reading_a_folder_that_is_not_there_finds_nothing(tmp_path: Path) -> None:
    reader = SqliteSamples.open_read_only(tmp_path / "none")
    assert read(reader, 0, NOON) == []
    assert not (tmp_path / "none").exists()


def test_a_full_disk_leaves_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = SqliteSamples(tmp_path)
    store.append(scrape(NOON, 1))

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("paramedic.adapters.storage.samples_day.DayFile.append", full)
        store.append(scrape(NOON + 10**9, 2))
        assert "database or disk is full" in store.last_error
        assert read(store, NOON, NOON + 10**9) == [1, 2]
    store.append(scrape(NOON + 2 * 10**9, 3))
    assert store.last_error == ""
    assert read(store, NOON, NOON + 2 * 10**9) == [1, 2, 3]
    store.close()


def test_a_damaged_file_is_set_aside_and_a_new_one_begun(tmp_path: Path) -> None:
    damaged = tmp_path / "samples-2023-11-15.db"
    damaged.write_bytes(os.urandom(8192))
    store = SqliteSamples(tmp_path)
    assert "cannot be read" in store.last_error
    store.append(scrape(NOON, 1))
    assert "renamed" in store.last_error
    store.append(scrape(NOON + 10**9, 2))
    assert store.last_error == ""
    assert read(store, NOON, NOON + 10**9) == [1, 2]
    assert (tmp_path / "samples-2023-11-15.db.damaged").exists()
    store.close()


def test_a_folder_that_cannot_be_made_leaves_the_memory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = SqliteSamples(tmp_path / "file" / "samples")
    store.append(scrape(NOON, 1))
    assert "memory only" in store.last_error
    assert read(store, NOON, NOON) == [1]


def test_rules_never_wait_for_the_disk(tmp_path: Path) -> None:
    store = SqliteSamples(tmp_path)
    for second in range(0, 3600, 60):
        store.append(scrape(NOON + second * 10**9, second))
    for path in tmp_path.glob("*.db*"):
        path.unlink()
    end = NOON + 3540 * 10**9
    assert len(read(store, end - (RING_MS - 1) * 10**6, end)) == RING_MS // 60_000
    store.close()


def test_one_scrape_is_small_on_the_disk(tmp_path: Path) -> None:
    store = SqliteSamples(tmp_path)
    series = [label_set("metric_bucket", le=str(number), target="qwen@host:8000") for number in range(430)]
    counters = [float(number % 40) for number in range(430)]
    for index in range(200):
        for number in range(index % 5, 430, 5):  # a fifth of them moves from one scrape to the next
            counters[number] += number * 17 % 11
        store.append(Scrape("engine:a", NOON + index * 5 * 10**9, series, list(counters)))
    store.close()
    size = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert size / 200 < 1800  # 3,440 as they are in memory
