"""What every JournalStore keeps: the same suite on SQLite and in memory."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from paramedic.adapters.storage.journal_memory import MemoryJournal
from paramedic.adapters.storage.journal_sqlite import SqliteJournal
from paramedic.adapters.storage.journal_waiting import WaitingJournal
from paramedic.journal.codec import UnknownEvent
from paramedic.journal.events import ActionStarted, AlertResolved, TargetRemoved
from paramedic.model.errors import ParamedicError
from paramedic.model.text import as_written
from paramedic.ports import JournalStore

Make = Callable[[], JournalStore]


@pytest.fixture(params=["sqlite", "waiting", "memory"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    if request.param == "sqlite":
        return lambda: SqliteJournal(tmp_path / "journal.db")
    if request.param == "waiting":
        return lambda: WaitingJournal(SqliteJournal(tmp_path / "journal.db"))
    return MemoryJournal


def test_it_gives_back_what_was_appended(make: Make) -> None:
    store = make()
    first = store.append(7, [(TargetRemoved("a", as_written("gone")), None)])
    store.append(9, [(AlertResolved("x-1"), first[0].seq), (ActionStarted("ACT-0001"), None)])

    entries = list(store.read())

    assert [(e.at, e.because) for e in entries] == [(7, None), (9, first[0].seq), (9, None)]
    assert entries[0].event == TargetRemoved("a", as_written("gone"))
    assert [e.seq for e in entries] == sorted({e.seq for e in entries})
    store.close()


def test_it_reads_on_from_where_a_reader_was(make: Make) -> None:
    store = make()
    seqs = [store.append(n, [(ActionStarted(str(n)), None)])[0].seq for n in range(1200)]

    assert [e.seq for e in store.read(after=seqs[599])] == seqs[600:]
    store.close()


def test_it_writes_all_or_none(tmp_path: Path) -> None:
    store = SqliteJournal(tmp_path / "journal.db")
    broken = (ActionStarted(object()), None)  # type: ignore[arg-type]  # no JSON for it

    with pytest.raises(TypeError):
        store.append(1, [(ActionStarted("ACT-0001"), None), broken])

    assert list(store.read()) == []
    store.append(2, [(ActionStarted("ACT-0002"), None)])
    assert len(list(store.read())) == 1
    store.close()


def test_nothing_can_be_changed_or_removed(tmp_path: Path) -> None:
    store = SqliteJournal(tmp_path / "journal.db")
    store.append(1, [(ActionStarted("ACT-0001"), None)])
    store.close()
    db = sqlite3.connect(tmp_path / "journal.db")

    for sql in ("UPDATE entries SET at = 2", "DELETE FROM entries"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            db.execute(sql)
    db.close()


def test_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    script = (
        "import sys, pathlib\n"
        "from paramedic.adapters.storage.journal_sqlite import SqliteJournal\n"
        "from paramedic.journal.events import ActionStarted\n"
        f"store = SqliteJournal(pathlib.Path({str(tmp_path / 'journal.db')!r}))\n"
        "while True:\n"
        "    print(store.append(1, [(ActionStarted('A'), None)])[0].seq, flush=True)\n"
    )
    writer = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    for _ in range(50):
        acknowledged = int(writer.stdout.readline())
    writer.kill()
    acknowledged = max([acknowledged, *(int(line) for line in writer.stdout.read().split("\n")[:-1] if line)])
    writer.wait()
    writer.stdout.close()

    store = SqliteJournal(tmp_path / "journal.db")

    assert [e.seq for e in store.read()][:acknowledged] == list(range(1, acknowledged + 1))
    store.close()


def test_a_reader_in_another_process_sees_it_while_it_is_written(tmp_path: Path) -> None:
    store = SqliteJournal(tmp_path / "journal.db")
    reader = SqliteJournal(tmp_path / "journal.db", read_only=True)
    store.append(1, [(ActionStarted("ACT-0001"), None)])

    assert len(list(reader.read())) == 1
    reader.close()
    store.close()


def test_a_newer_journal_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    SqliteJournal(path).close()
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 999")
    db.close()
    before = path.read_bytes()

    with pytest.raises(ParamedicError, match="written by a newer Paramedic"):
        SqliteJournal(path)

    assert path.read_bytes() == before


def test_an_event_of_a_newer_version_is_kept_not_lost(tmp_path: Path) -> None:
    store = SqliteJournal(tmp_path / "journal.db")
    store._db.execute('INSERT INTO entries (at, body) VALUES (1, \'{"v": 2, "type": "MoonLanded", "x": 1}\')')

    (entry,) = store.read()

    assert isinstance(entry.event, UnknownEvent)
    assert entry.event.name == "MoonLanded"
    store.close()
