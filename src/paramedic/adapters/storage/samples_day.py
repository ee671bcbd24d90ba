"""One day of samples in one SQLite file: a blob a scrape, and each label set once."""

import json
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt

from paramedic.adapters.storage.samples_ring import Row
from paramedic.model.sample import LabelSet
from paramedic.signals.series import Matcher, Series

_SCHEMA = """
CREATE TABLE IF NOT EXISTS series (id INTEGER PRIMARY KEY, labels TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS layout (id INTEGER PRIMARY KEY, series BLOB NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS scrape (
    at INTEGER NOT NULL, source TEXT NOT NULL, layout INTEGER NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (at, source)
) WITHOUT ROWID;
PRAGMA user_version = 1;
"""
PATTERN = "samples-????-??-??.db"


def day_of(at_ms: int) -> str:
    """The UTC day that holds a time."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d")


def path_of(folder: Path, day: str) -> Path:
    return folder / f"samples-{day}.db"


class DayFile:
    """An open day. Raises sqlite3.Error for whatever the disk may do."""

    def __init__(self, path: Path, read_only: bool = False) -> None:
        self.path = path
        uri = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}"
        self._connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=0.5, check_same_thread=False)
        self._series: dict[LabelSet, int] = {}
        self._layouts: dict[int, list[LabelSet]] = {}
        self._last: dict[str, tuple[Sequence[LabelSet], int]] = {}  # by source: its layout and that one's id
        self._newest: dict[str, int] = {}
        try:
            if not read_only:
                self._connection.execute("PRAGMA journal_mode = WAL")
                self._connection.execute("PRAGMA synchronous = NORMAL")
                self._connection.execute("PRAGMA journal_size_limit = 4194304")
                self._connection.executescript(_SCHEMA)
                query = "SELECT source, max(at) FROM scrape GROUP BY source"
                self._newest = dict(self._connection.execute(query).fetchall())
            self._load_series()
        except sqlite3.Error:
            self._connection.close()
            raise

    def append(self, row: Row) -> None:
        """Write one row; what it says of a time that was already seen replaces it."""
        known, layout = self._last.get(row.source, ((), 0))
        data = zlib.compress(row.values.tobytes(), 1)
        with self._connection:
            if known is row.series or (known and known == row.series):
                self._connection.execute(
                    "INSERT OR REPLACE INTO scrape VALUES (?, ?, ?, ?)", (row.at_ms, row.source, layout, data)
                )
            else:
                self._connection.execute("BEGIN")
                layout = self._layout(row.series)
                self._connection.execute(
                    "INSERT OR REPLACE INTO scrape VALUES (?, ?, ?, ?)", (row.at_ms, row.source, layout, data)
                )
            if row.at_ms <= self._newest.get(row.source, -1):
                self._connection.execute("DELETE FROM scrape WHERE source = ? AND at > ?", (row.source, row.at_ms))
        self._last[row.source] = row.series, layout
        self._newest[row.source] = row.at_ms

    def rows(self, start_ms: int, end_ms: int) -> Iterator[Row]:
        """The rows in [start_ms, end_ms], oldest first."""
        query = "SELECT at, source, layout, data FROM scrape WHERE at BETWEEN ? AND ? ORDER BY at"
        for at, source, layout, data in self._connection.execute(query, (start_ms, end_ms)):
            yield Row(source, at, self._series_of(layout), _values(data))

    def newest_ms(self) -> int:
        """The time of the newest row; 0 without one."""
        (newest,) = self._connection.execute("SELECT max(at) FROM scrape").fetchone()
        return newest or 0

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Series]:
        """Every series that matches, with its samples in [start_ms, end_ms], one piece a source."""
        wanted: dict[int, list[int]] = {}  # positions of the matching series, by layout
        found: dict[tuple[str, LabelSet], tuple[list[int], list[float]]] = {}
        query = "SELECT at, source, layout, data FROM scrape WHERE at BETWEEN ? AND ? ORDER BY at"
        for at, source, layout, data in self._connection.execute(query, (start_ms, end_ms)):
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
        self._connection.close()

    def _layout(self, series: Sequence[LabelSet]) -> int:
        """The id of a layout, made where it is new; within the transaction of its row."""
        ids = [self._id(labels) for labels in series]
        body = zlib.compress(np.array(ids, dtype="<i4").tobytes(), 6)
        self._connection.execute("INSERT OR IGNORE INTO layout (series) VALUES (?)", (body,))
        (layout,) = self._connection.execute("SELECT id FROM layout WHERE series = ?", (body,)).fetchone()
        return int(layout)

    def _id(self, labels: LabelSet) -> int:
        if labels not in self._series:
            text = json.dumps(labels, ensure_ascii=True, separators=(",", ":"))
            self._connection.execute("INSERT OR IGNORE INTO series (labels) VALUES (?)", (text,))
            (found,) = self._connection.execute("SELECT id FROM series WHERE labels = ?", (text,)).fetchone()
            self._series[labels] = found
        return self._series[labels]

    def _load_series(self) -> None:
        for number, text in self._connection.execute("SELECT id, labels FROM series"):
            self._series[tuple((name, value) for name, value in json.loads(text))] = number

    def _series_of(self, layout: int) -> list[LabelSet]:
        if layout not in self._layouts:
            (body,) = self._connection.execute("SELECT series FROM layout WHERE id = ?", (layout,)).fetchone()
            ids = np.frombuffer(zlib.decompress(body), dtype="<i4").tolist()
            names = {number: labels for labels, number in self._series.items()}
            if not names.keys() >= set(ids):  # another process has written since we opened the file
                self._load_series()
                names = {number: labels for labels, number in self._series.items()}
            self._layouts[layout] = [names[number] for number in ids]
        return self._layouts[layout]


def _values(data: bytes) -> npt.NDArray[np.float64]:
    return np.frombuffer(zlib.decompress(data), dtype="<f8")
