"""The journal in one SQLite file: append-only, and on the disk when `append` returns."""

import sqlite3
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

from paramedic.journal.codec import Entry, decode, encode
from paramedic.journal.events import Event
from paramedic.model.errors import CouldNotTell, ParamedicError

_PAGE = 500


class SqliteJournal:
    """A JournalStore. One writer; any number of readers, in other processes too."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """`read_only` is for a command that only looks, whether a daemon runs or not."""
        self._db = _connect(path, read_only)
        try:
            _refuse_newer(_version(self._db), path)
            if read_only:
                return
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            _migrate(self._db)
        except sqlite3.DatabaseError as error:
            self._db.close()
            raise CouldNotTell(f"{path}: the journal cannot be opened: {error}. Nothing was changed.") from error
        except ParamedicError:
            self._db.close()
            raise

    def append(self, at: int, events: Sequence[tuple[Event, int | None]]) -> list[Entry]:
        entries = []
        self._db.execute("BEGIN IMMEDIATE")
        try:
            for event, because in events:
                row = self._db.execute(
                    "INSERT INTO entries (at, because, body) VALUES (?, ?, ?)", (at, because, encode(event))
                )
                entries.append(Entry(int(row.lastrowid or 0), at, because, event))
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        return entries

    def read(self, after: int = 0) -> Iterator[Entry]:
        while rows := self._db.execute(
            "SELECT seq, at, because, body FROM entries WHERE seq > ? ORDER BY seq LIMIT ?", (after, _PAGE)
        ).fetchall():
            for seq, at, because, body in rows:
                yield Entry(seq, at, because, decode(body))
            after = rows[-1][0]

    def close(self) -> None:
        self._db.close()


def _connect(path: Path, read_only: bool) -> sqlite3.Connection:
    where = f"file:{quote(str(path))}" + ("?mode=ro" if read_only else "")
    try:
        return sqlite3.connect(where, uri=True, isolation_level=None, check_same_thread=False)
    except sqlite3.OperationalError as error:
        raise CouldNotTell(f"{path}: the journal cannot be opened: {error}") from error


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _steps() -> list[tuple[int, str]]:
    folder = files("paramedic.adapters.storage") / "migrations"
    return sorted((int(f.name[:4]), f.read_text("utf-8")) for f in folder.iterdir() if f.name.endswith(".sql"))


def _refuse_newer(version: int, path: Path) -> None:
    newest = _steps()[-1][0]
    if version > newest:
        raise ParamedicError(
            f"{path}: this journal has format {version}, written by a newer Paramedic; this one knows up to {newest}. "
            "Nothing was changed: start the newer version."
        )


def _migrate(db: sqlite3.Connection) -> None:
    version = _version(db)
    for number, sql in _steps():
        if number > version:
            db.executescript(f"BEGIN;\n{sql}\nPRAGMA user_version = {number};\nCOMMIT;")
