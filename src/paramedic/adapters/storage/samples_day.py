"""One day of samples in one SQLite file: a blob a scrape, and each label set once."""

import json
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt

from paramedic.adapters.storage.formats import NewerFormat, migrate, refuse_newer, refuse_newer_file
from paramedic.adapters.storage.samples_ring import Row
from paramedic.model.sample import LabelSet
from paramedic.signals.series import Matcher, Series

KIND = "samples"
_SOURCES = 65536  # scrape.id is time (ms) * _SOURCES + source.id: in order of time without a second index
_WINDOW = "SELECT id, layout, data FROM scrape WHERE id BETWEEN ? AND ? ORDER BY id"
PATTERN = "samples-????-??-??.db"


def day_of(at_ms: int) -> str:
    """The UTC day that holds a time."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d")


def path_of(folder: Path, day: str) -> Path:
    return folder / f"samples-{day}.db"


class DayFile:
    """An open day. Raises NewerFormat, and sqlite3.Error for whatever the disk may do; after one it is to be closed."""

    def __init__(self, path: Path, read_only: bool = False) -> None:
        self.path = path
        if not read_only:
            refuse_newer_file(KIND, path)
        uri = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}"
        self._db = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=0.5, check_same_thread=False)
        self._series: dict[LabelSet, int] = {}
        self._sources: dict[str, int] = {}
        self._layouts: dict[int, list[LabelSet]] = {}
        self._last: dict[str, tuple[Sequence[LabelSet], int]] = {}  # by source: its layout and that one's id
        try:
            refuse_newer(self._db, KIND, path)
            if not read_only:
                self._db.execute("PRAGMA journal_mode = WAL")
                self._db.execute("PRAGMA synchronous = NORMAL")
                self._db.execute("PRAGMA journal_size_limit = 4194304")
                migrate(self._db, KIND)
            self._load_series()
        except (sqlite3.Error, NewerFormat):
            self._db.close()
            raise

    def append(self, row: Row) -> None:
        """Write one row, and forget what its source said of later times when its clock was set back."""
        known, layout = self._last.get(row.source, ((), 0))
        data = zlib.compress(row.values.tobytes(), 1)
        new_layout = not layout or (known is not row.series and known != row.series)
        if new_layout or row.set_back:
            self._db.execute("BEGIN")
        if new_layout:
            layout = self._layout(row.series)
        number = row.at_ms * _SOURCES + self._source(row.source)
        if row.set_back:
            later = f"DELETE FROM scrape WHERE id >= ? AND id % {_SOURCES} = ?"  # noqa: S608 (a constant)
            self._db.execute(later, (number, number % _SOURCES))
        self._db.execute("INSERT OR REPLACE INTO scrape VALUES (?, ?, ?)", (number, layout, data))
        if self._db.in_transaction:
            self._db.execute("COMMIT")
        self._last[row.source] = row.series, layout

    def rows(self, start_ms: int, end_ms: int) -> Iterator[Row]:
        """The rows in [start_ms, end_ms], oldest first."""
        for at, source, layout, data in self._window(start_ms, end_ms):
            yield Row(source, at, self._series_of(layout), _values(data))

    def newest_ms(self) -> int:
        """The time of the newest row; 0 without one."""
        (newest,) = self._db.execute("SELECT max(id) FROM scrape").fetchone()
        return (newest or 0) // _SOURCES

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Series]:
        """Every series that matches, with its samples in [start_ms, end_ms], one piece a source."""
        wanted: dict[int, list[int]] = {}  # positions of the matching series, by layout
        found: dict[tuple[str, LabelSet], tuple[list[int], list[float]]] = {}
        for at, source, layout, data in self._window(start_ms, end_ms):
            series = self._series_of(layout)
            if layout not in wanted:
                wanted[layout] = [i for i, each in enumerate(series) if all(m.matches(each) for m in matchers)]
            if wanted[layout]:
                values = _values(data)
                for index in wanted[layout]:
                    times, numbers = found.setdefault((source, series[index]), ([], []))
                    times.append(at)
                    numbers.append(values[index])
        return [
            Series(labels, np.array(times, dtype=np.int64), np.array(numbers, dtype=np.float64))
            for (_, labels), (times, numbers) in found.items()
        ]

    def close(self) -> None:
        self._db.close()

    def _window(self, start_ms: int, end_ms: int) -> Iterator[tuple[int, str, int, bytes]]:
        names: dict[int, str] = dict(self._db.execute("SELECT id, name FROM source").fetchall())
        for number, layout, data in self._db.execute(_WINDOW, (start_ms * _SOURCES, (end_ms + 1) * _SOURCES - 1)):
            yield number // _SOURCES, names.get(number % _SOURCES, ""), layout, data

    def _source(self, name: str) -> int:
        if name not in self._sources:
            self._sources[name] = self._number("source", "name", name)
        return self._sources[name]

    def _layout(self, series: Sequence[LabelSet]) -> int:
        """The id of a layout, made where it is new; within the transaction of its row."""
        for labels in series:
            if labels not in self._series:
                text = json.dumps(labels, ensure_ascii=True, separators=(",", ":"))
                self._series[labels] = self._number("series", "labels", text)
        ids = np.array([self._series[labels] for labels in series], dtype="<i4")
        return self._number("layout", "series", zlib.compress(ids.tobytes(), 6))

    def _number(self, table: str, column: str, value: str | bytes) -> int:
        """The id of a value in a table of names, made where it is new."""
        self._db.execute(f"INSERT OR IGNORE INTO {table} ({column}) VALUES (?)", (value,))  # noqa: S608 (ours)
        query = f"SELECT id FROM {table} WHERE {column} = ?"  # noqa: S608 (ours)
        return int(self._db.execute(query, (value,)).fetchone()[0])

    def _load_series(self) -> None:
        for number, text in self._db.execute("SELECT id, labels FROM series"):
            self._series[tuple((name, value) for name, value in json.loads(text))] = number

    def _series_of(self, layout: int) -> list[LabelSet]:
        if layout not in self._layouts:
            (body,) = self._db.execute("SELECT series FROM layout WHERE id = ?", (layout,)).fetchone()
            ids = np.frombuffer(zlib.decompress(body), dtype="<i4").tolist()
            names = {number: labels for labels, number in self._series.items()}
            if not names.keys() >= set(ids):  # another process has written since we opened the file
                self._load_series()
                names = {number: labels for labels, number in self._series.items()}
            self._layouts[layout] = [names[number] for number in ids]
        return self._layouts[layout]


def _values(data: bytes) -> npt.NDArray[np.float64]:
    return np.frombuffer(zlib.decompress(data), dtype="<f8")
