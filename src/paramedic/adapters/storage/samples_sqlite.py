"""Samples on the disk, a file a day, with the last twenty minutes in memory so that rules never wait for it."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from paramedic.adapters.storage.formats import newest, open_read_only, refuse_newer, version_of
from paramedic.adapters.storage.samples_day import KIND, PATTERN, DayFile, day_of, path_of
from paramedic.adapters.storage.samples_ring import Ring, Row, merged
from paramedic.model.errors import CouldNotTell
from paramedic.model.sample import Scrape
from paramedic.signals.series import Matcher, Series

NS_PER_MS = 1_000_000
RING_MS = 20 * 60 * 1000
DAY_MS = 24 * 3600 * 1000


class SqliteSamples:
    """A SampleStore in a folder. What the disk refuses is kept in memory and named in `last_error`.

    Raises NewerFormat where a newer Paramedic has written; days of an older one are brought up to date first.
    """

    def __init__(
        self, folder: Path, retention_days: int = 15, max_bytes: int = 5_000_000_000, *, read_only: bool = False
    ) -> None:
        self.last_error = ""
        self._folder = folder
        self._retention_days = retention_days
        self._max_bytes = max_bytes
        self._read_only = read_only
        self._today: DayFile | None = None
        self._ring = Ring(RING_MS)
        if not read_only:
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                self.last_error = f"samples are kept in memory only: {folder}: {error.strerror}"
        for path in self._files():
            self._check_format(path)
        self._load_ring()

    @classmethod
    def open_read_only(cls, folder: Path) -> "SqliteSamples":
        """Look at the samples of a folder, also while a daemon writes them; `append` is not possible."""
        return cls(folder, read_only=True)

    @property
    def newest_ms(self) -> int:
        """The time of the newest sample (UTC milliseconds); 0 without one."""
        return self._ring.newest_ms

    def append(self, scrape: Scrape) -> None:
        if self._read_only:
            raise CouldNotTell(f"the samples in {self._folder} were opened for reading only")
        row = self._ring.append(scrape.source, scrape.at // NS_PER_MS, scrape.series, scrape.values)
        try:
            self._day(row.at_ms).append(row)
            self.last_error = ""
        except (sqlite3.Error, OSError) as error:
            self._failed(error)
            if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
                self._set_aside(path_of(self._folder, day_of(row.at_ms)))

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Series]:
        recent = self._ring.select(matchers, start_ms, end_ms)
        if start_ms >= self._ring.newest_ms - RING_MS:
            return merged(recent)
        parts: list[Series] = []
        for path in self._files():
            if day_of(max(start_ms, 0)) <= _day_in(path) <= day_of(max(end_ms, 0)):
                parts.extend(self._select_day(path, matchers, start_ms, end_ms))
        return merged([*parts, *recent])

    def refresh(self) -> None:
        """Read what another process has written since this one opened the folder."""
        self._ring = Ring(RING_MS)
        self._load_ring()

    def prune(self, now_ns: int) -> None:
        """Delete whole days that are too old, then the oldest while all of them are too much; never the current one."""
        now_ms = now_ns // NS_PER_MS
        self._ring.forget(now_ms - RING_MS)
        oldest = day_of(max(now_ms - self._retention_days * DAY_MS, 0))
        files = [path for path in self._files() if _day_in(path) != day_of(now_ms)]
        sizes = {path: _size(path) for path in self._files()}
        total = sum(sizes.values())
        for path in files:
            if _day_in(path) < oldest or total > self._max_bytes:
                self._delete(path)
                total -= sizes.get(path, 0)

    def close(self) -> None:
        if self._today is not None:
            self._today.close()
            self._today = None

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob(PATTERN))

    def _check_format(self, path: Path) -> None:
        try:
            db = open_read_only(path)
            try:
                refuse_newer(db, KIND, path)
                older = version_of(db) < newest(KIND)
            finally:
                db.close()
            if older and not self._read_only:
                DayFile(path).close()
        except (sqlite3.Error, OSError) as error:
            self.last_error = f"{path.name} cannot be read: {error}"

    def _day(self, at_ms: int) -> DayFile:
        path = path_of(self._folder, day_of(at_ms))
        if self._today is None or self._today.path != path:
            self.close()
            self._today = DayFile(path)
        return self._today

    def _failed(self, error: Exception) -> None:
        self.last_error = f"samples are kept in memory only: {self._folder}: {error}"
        try:
            self.close()
        except sqlite3.Error:
            self._today = None

    def _set_aside(self, damaged: Path) -> None:
        """A damaged file is kept for whoever wants to mend it; the next scrape begins a new one."""
        for each in (damaged, damaged.with_name(damaged.name + "-wal"), damaged.with_name(damaged.name + "-shm")):
            try:
                each.rename(each.with_name(each.name + ".damaged"))
            except OSError:
                continue  # there is no such file, or it stays where it is and the error is told again
        self.last_error += f"; the damaged file was renamed to {damaged.name}.damaged"

    def _select_day(self, path: Path, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Series]:
        try:
            if self._today is not None and self._today.path == path:
                return self._today.select(matchers, start_ms, end_ms)
            day = DayFile(path, read_only=True)
            try:
                return day.select(matchers, start_ms, end_ms)
            finally:
                day.close()
        except (sqlite3.Error, OSError) as error:
            self.last_error = f"{path.name} cannot be read: {error}"
            return []

    def _load_ring(self) -> None:
        rows: list[list[Row]] = []
        newest = 0
        for path in reversed(self._files()[-2:]):
            try:
                day = DayFile(path, read_only=True)
                try:
                    newest = newest or day.newest_ms()
                    rows.append(list(day.rows(newest - RING_MS, newest)))
                finally:
                    day.close()
            except (sqlite3.Error, OSError) as error:
                self.last_error = f"{path.name} cannot be read: {error}"
        for day_rows in reversed(rows):
            for row in day_rows:
                self._ring.load(row)

    def _delete(self, path: Path) -> None:
        for each in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
            try:
                each.unlink(missing_ok=True)
            except OSError as error:
                self.last_error = f"{each.name} cannot be deleted: {error.strerror}"


def _day_in(path: Path) -> str:
    return path.stem.removeprefix("samples-")


def _size(path: Path) -> int:
    files = (path, path.with_name(path.name + "-wal"))
    return sum(each.stat().st_size for each in files if each.exists())
