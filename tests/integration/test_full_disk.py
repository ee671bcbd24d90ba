"""A journal that SQLite cannot write: what it is given waits in memory, in its order, and is then written.

Once on a small disk that is really full, and once with SQLite's own limit, which needs no root.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from paramedic.adapters.storage.journal_sqlite import SqliteJournal
from paramedic.adapters.storage.journal_waiting import WaitingJournal
from paramedic.journal.events import ActionStarted
from paramedic.model.errors import CouldNotTell
from tests.integration.full_disk import small_disk

NO_LIMIT = 2**30


@dataclass
class Disk:
    path: Path
    fill: Callable[[WaitingJournal], None]
    empty: Callable[[WaitingJournal], None]


@pytest.fixture(params=["small disk", "limit"])
def disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Disk]:
    if request.param == "limit":
        yield Disk(tmp_path, lambda store: limit(store, 1), lambda store: limit(store, NO_LIMIT))
        return
    with small_disk(tmp_path / "disk", 4) as small:
        yield Disk(small.path, lambda store: small.fill(), lambda store: small.empty())


def limit(store: WaitingJournal, pages: int) -> None:
    """SQLite never goes below the pages that there are."""
    store._store._db.execute(f"PRAGMA max_page_count = {pages}")


def append(store: WaitingJournal, first: int, count: int) -> list[int]:
    """Events of a kilobyte each, one at a time."""
    names = [f"{number:04d}-{'x' * 1000}" for number in range(first, first + count)]
    return [store.append(number, [(ActionStarted(name), None)])[0].seq for number, name in enumerate(names, first)]


def test_what_the_disk_refuses_waits_and_is_written_when_there_is_room(disk: Disk) -> None:
    path = disk.path / "journal.db"
    store = WaitingJournal(SqliteJournal(path))
    assert append(store, 1, 20) == list(range(1, 21))
    assert (store.unwritten, store.trouble) == (0, "")

    disk.fill(store)
    assert append(store, 21, 200) == list(range(21, 221))
    assert store.unwritten > 100
    assert "full" in store.trouble
    assert [entry.seq for entry in store.read()] == list(range(1, 221))
    assert [entry.seq for entry in store.read(after=218)] == [219, 220]

    disk.empty(store)
    store.append(0, ())
    assert (store.unwritten, store.trouble) == (0, "")
    assert append(store, 221, 1) == [221]
    store.close()
    again = SqliteJournal(path)
    assert [entry.seq for entry in again.read()] == list(range(1, 222))
    assert [entry.at for entry in again.read()] == list(range(1, 222))
    again.close()


def test_more_than_it_may_keep_is_refused_and_nothing_of_it_kept(disk: Disk) -> None:
    store = WaitingJournal(SqliteJournal(disk.path / "journal.db"), most=50)
    disk.fill(store)
    with pytest.raises(CouldNotTell, match="50 events wait already"):
        append(store, 1, 200)
    assert store.unwritten == 50
    kept = [entry.seq for entry in store.read()]
    disk.empty(store)
    assert append(store, 1000, 1) == [kept[-1] + 1]
    store.close()


def test_a_close_writes_what_it_can(disk: Disk) -> None:
    path = disk.path / "journal.db"
    store = WaitingJournal(SqliteJournal(path))
    disk.fill(store)
    append(store, 1, 200)
    disk.empty(store)
    store.close()
    again = SqliteJournal(path)
    assert len(list(again.read())) == 200
    again.close()
