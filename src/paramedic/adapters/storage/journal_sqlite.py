"""The journal in one SQLite file: append-only, and on the disk when `append` returns."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from paramedic import __version__
from paramedic.adapters.storage import formats
from paramedic.journal.codec import Entry, decode, encode
from paramedic.journal.events import Event
from paramedic.model.errors import CouldNotTell, ParamedicError

KIND = "journal"
_PAGE = 500
_I_WRITE_HERE = """
    INSERT INTO writers (version, format) VALUES (?, ?)
    ON CONFLICT (version) DO UPDATE SET format = excluded.format WHERE format < excluded.format
"""


class SqliteJournal:
    """A JournalStore. One writer; any number of readers, in other processes too."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """`read_only` is for a command that only looks, whether a daemon runs or not: it changes nothing."""
        self.kept: Path | None = None  # the copy of an older journal, as it was before it was brought up to date
        try:
            if read_only:
                self._db = _open_to_read(path)
            else:
                self._db, self.kept = _open_to_write(path)
        except (sqlite3.Error, OSError) as error:
            raise CouldNotTell(_sentence(path, "opened", error)) from error
        self._path = path

    def append(self, at: int, events: Sequence[tuple[Event, int | None]]) -> list[Entry]:
        entries = []
        with self._transaction():
            for event, because in events:
                row = self._db.execute(
                    "INSERT INTO entries (at, because, body) VALUES (?, ?, ?)", (at, because, encode(event))
                )
                entries.append(Entry(int(row.lastrowid or 0), at, because, event))
        return entries

    def restore(self, entries: Sequence[Entry]) -> None:
        """Write entries that had to wait, all or none, in the places that they were given."""
        with self._transaction():
            for entry in entries:
                row = (entry.seq, entry.at, entry.because, encode(entry.event))
                self._db.execute("INSERT INTO entries (seq, at, because, body) VALUES (?, ?, ?, ?)", row)

    def last_seq(self) -> int:
        (newest,) = self._db.execute("SELECT max(seq) FROM entries").fetchone()
        return int(newest or 0)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:  # on a full disk SQLite may have rolled it back already
                self._db.execute("ROLLBACK")
            raise

    def read(self, after: int = 0) -> Iterator[Entry]:
        while rows := self._page(after):
            for seq, at, because, body in rows:
                yield Entry(seq, at, because, decode(body))
            after = rows[-1][0]

    def _page(self, after: int) -> list[tuple[int, int, int | None, str]]:
        query = "SELECT seq, at, because, body FROM entries WHERE seq > ? ORDER BY seq LIMIT ?"
        try:
            return self._db.execute(query, (after, _PAGE)).fetchall()
        except sqlite3.Error as error:
            raise CouldNotTell(_sentence(self._path, "read", error)) from error

    def close(self) -> None:
        self._db.close()


def _sentence(path: Path, what: str, error: Exception) -> str:
    """What is wrong with the journal, and what can be done."""
    text = str(error)
    if isinstance(error, sqlite3.DatabaseError) and ("not a database" in text or "malformed" in text):
        text = "it is damaged"
        way_out = "Put a backup in its place (`paramedic restore FILE`), or move it away to begin a new one."
    elif "readonly" in text:
        text = "it may not be written"
        way_out = "Is it another user's, or is its disk read-only? Choose another folder with --data-dir."
    elif "full" in text:
        way_out = "Make room on its disk."
    else:
        way_out = "Who owns it, and is its disk in order?"
    return f"{path}: the journal cannot be {what}: {text}. Nothing was changed. {way_out}"


def _open_to_write(path: Path) -> tuple[sqlite3.Connection, Path | None]:
    """The journal in our format: an older one is kept as it was, then brought up to date."""
    kept = None
    formats.refuse_newer_file(KIND, path)
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        if 0 < formats.version_of(db) < formats.newest(KIND):
            kept = formats.keep_copy(db, path)
        formats.migrate(db, KIND)
        db.execute(_I_WRITE_HERE, (__version__, formats.newest(KIND)))
    except (sqlite3.Error, OSError):
        db.close()
        raise
    return db, kept


def _open_to_read(path: Path) -> sqlite3.Connection:
    """The journal as it is; one of an older format is brought up to date in memory, and stays on the disk as it is."""
    db = formats.open_read_only(path)
    try:
        formats.refuse_newer(db, KIND, path)
        if formats.version_of(db) == formats.newest(KIND):
            return db
        in_memory = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        db.backup(in_memory)
        formats.migrate(in_memory, KIND)
    except (sqlite3.Error, ParamedicError):
        db.close()
        raise
    db.close()
    return in_memory
