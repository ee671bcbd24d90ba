"""The format of a file of ours: an older one is brought up to date step by step, a newer one is refused untouched."""

import sqlite3
from functools import cache
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

from paramedic import __version__
from paramedic.model.errors import ParamedicError


class NewerFormat(ParamedicError):
    """A newer Paramedic has written this file; this one cannot know what it says."""


def open_read_only(path: Path) -> sqlite3.Connection:
    """A connection that changes nothing, not even what a daemon that was killed left unfinished beside the file.

    SQLite wants to write even then; where it may not, a file that nobody writes to is read as it lies there.
    """
    uri = f"file:{quote(str(path))}?mode=ro"
    db = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    try:
        version_of(db)
    except sqlite3.OperationalError as error:
        if not error.sqlite_errorname.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN")) or _is_unfinished(path):
            db.close()
            raise
        db.close()
        return sqlite3.connect(f"{uri}&immutable=1", uri=True, isolation_level=None, check_same_thread=False)
    except sqlite3.DatabaseError:
        db.close()
        raise
    return db


def _is_unfinished(path: Path) -> bool:
    """Whether something of it stands only in the log beside it."""
    log = path.with_name(f"{path.name}-wal")
    return not path.is_file() or (log.exists() and log.stat().st_size > 0)


def version_of(db: sqlite3.Connection) -> int:
    """The number of the last step that was taken; 0 for a file without anything in it."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])


@cache
def newest(kind: str) -> int:
    """The format that this version writes; `kind` is "journal" or "samples"."""
    return _steps(kind)[-1][0]


def refuse_newer(db: sqlite3.Connection, kind: str, path: Path) -> None:
    """Raises NewerFormat for a file that was written by a version which knew more steps."""
    version = version_of(db)
    if version > newest(kind):
        writer = _writer(db, newest(kind))
        start = f"{writer} or a newer one" if writer else "the newer one"
        raise NewerFormat(
            f"{path} was written by {writer or 'a newer Paramedic'} (format {version}); "
            f"this is Paramedic {__version__}, which knows up to format {newest(kind)} of the {kind}. "
            f"Nothing was changed. Start {start}, or use another folder: --data-dir."
        )


def refuse_newer_file(kind: str, path: Path) -> None:
    """The same for a file that nobody has opened yet. Raises sqlite3.Error for one that cannot be read."""
    if path.exists():
        db = open_read_only(path)
        try:
            refuse_newer(db, kind, path)
        finally:
            db.close()


def migrate(db: sqlite3.Connection, kind: str) -> None:
    """Take the steps that are missing, each whole or not at all. Raises sqlite3.Error; what was reached then stays."""
    version = version_of(db)
    for number, sql in _steps(kind):
        if number > version:
            try:
                db.executescript(f"BEGIN IMMEDIATE;\n{sql}\nPRAGMA user_version = {number};\nCOMMIT;")
            except sqlite3.Error:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise


def copy_of(path: Path, version: int) -> Path:
    """Where the file is kept as it was before it was brought up to date."""
    return path.with_name(f"{path.stem}-format-{version}{path.suffix}")


def keep_copy(db: sqlite3.Connection, path: Path) -> Path:
    """Keep the file as it is now beside itself, whole or not at all."""
    kept = copy_of(path, version_of(db))
    draft = kept.with_name(kept.name + ".new")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    copy_database(db, draft)
    draft.replace(kept)
    return kept


def copy_database(db: sqlite3.Connection, to: Path) -> None:
    """All of a database at one moment, also while another process writes to it."""
    copy = sqlite3.connect(to, isolation_level=None)
    try:
        db.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a second one beside it
    finally:
        copy.close()


def _writer(db: sqlite3.Connection, known: int) -> str:
    """The version that brought the file to a format above `known`, where the file says so."""
    query = "SELECT version FROM writers WHERE format > ? ORDER BY format DESC, rowid DESC LIMIT 1"
    try:
        row = db.execute(query, (known,)).fetchone()
    except sqlite3.DatabaseError:
        return ""  # it has no such table, or not in the shape that we know
    return f"Paramedic {row[0]}" if row else ""


@cache
def _steps(kind: str) -> list[tuple[int, str]]:
    folder = files("paramedic.adapters.storage") / "migrations" / kind
    return sorted((int(f.name[:4]), f.read_text("utf-8")) for f in folder.iterdir() if f.name.endswith(".sql"))
