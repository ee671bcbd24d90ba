"""A copy of a database as it is at one moment, also while a daemon writes to it."""

import sqlite3
from pathlib import Path

from paramedic.adapters.storage import formats
from paramedic.model.errors import CouldNotTell


def copy_while_in_use(kind: str, path: Path, to: Path) -> int:
    """Copy and check it; returns its format. Raises NewerFormat, and CouldNotTell for one that is damaged."""
    try:
        db = formats.open_read_only(path)
        try:
            formats.refuse_newer(db, kind, path)
            to.touch(mode=0o600)
            formats.copy_database(db, to)
        finally:
            db.close()
        return check_sound(kind, to)
    except sqlite3.Error as error:
        raise CouldNotTell(f"{path} cannot be copied: {error}") from error


def check_sound(kind: str, path: Path) -> int:
    """The format of a database that nobody uses. Raises NewerFormat; CouldNotTell where SQLite finds it damaged."""
    try:
        db = formats.open_read_only(path)
        try:
            formats.refuse_newer(db, kind, path)
            (said,) = db.execute("PRAGMA quick_check(1)").fetchone()
            if said != "ok":
                raise CouldNotTell(f"{path} is damaged: {said}")
            return formats.version_of(db)
        finally:
            db.close()
    except sqlite3.Error as error:
        raise CouldNotTell(f"{path} is damaged: {error}") from error


def count_entries(journal: Path) -> tuple[int, int]:
    """How many events a journal holds, and when the last of them was (UTC ns; 0 without one)."""
    db = formats.open_read_only(journal)
    try:
        count, last = db.execute("SELECT count(*), max(at) FROM entries").fetchone()
    finally:
        db.close()
    return int(count), int(last or 0)
