"""A journal that goes on where the disk refuses: what cannot be written waits in memory, in its order."""

import sqlite3
from collections.abc import Iterator, Sequence

from paramedic.adapters.storage.journal_sqlite import SqliteJournal
from paramedic.journal.codec import Entry
from paramedic.journal.events import Event
from paramedic.model.errors import CouldNotTell

MOST = 10_000  # days of an ordinary life; beyond it an event is refused


class WaitingJournal:
    """A JournalStore over the one in a file. `unwritten` counts what a crash would lose, `trouble` says why."""

    def __init__(self, store: SqliteJournal, most: int = MOST) -> None:
        self._store = store
        self._most = most
        self._waiting: list[Entry] = []
        self.trouble = ""

    @property
    def unwritten(self) -> int:
        return len(self._waiting)

    def append(self, at: int, events: Sequence[tuple[Event, int | None]]) -> list[Entry]:
        """Write them, after those that wait; without events, try to write those. Raises CouldNotTell when too many
        wait: then nothing of it is kept.
        """
        self._write_those_that_wait()
        if not events:
            return []
        if not self._waiting:
            try:
                return self._store.append(at, events)
            except sqlite3.OperationalError as error:
                self.trouble = str(error)
        if len(self._waiting) + len(events) > self._most:
            raise CouldNotTell(f"the journal cannot be written ({self.trouble}), and {self._most} events wait already")
        first = (self._waiting[-1].seq if self._waiting else self._store.last_seq()) + 1
        entries = [Entry(first + n, at, because, event) for n, (event, because) in enumerate(events)]
        self._waiting += entries
        return entries

    def read(self, after: int = 0) -> Iterator[Entry]:
        yield from self._store.read(after)
        yield from [entry for entry in self._waiting if entry.seq > after]

    def close(self) -> None:
        self._write_those_that_wait()
        self._store.close()

    def _write_those_that_wait(self) -> None:
        if not self._waiting:
            return
        try:
            self._store.restore(self._waiting)
        except sqlite3.OperationalError as error:
            self.trouble = str(error)
        else:
            self._waiting, self.trouble = [], ""
