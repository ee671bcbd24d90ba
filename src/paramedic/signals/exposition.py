"""Prometheus's text format becomes samples; what has not changed since the last scrape is not read again."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from paramedic.model.sample import LabelSet, label_set

MAX_BYTES = 32 * 1024 * 1024
MAX_SERIES = 50_000

_NAME = rb"[a-zA-Z_:][a-zA-Z0-9_:]*"
_LABELS = rb'\{((?:[^"{}]|"(?:[^"\\]|\\.)*")*)\}'
_SAMPLE = re.compile(
    rb"\s*(" + _NAME + rb")\s*(?:" + _LABELS + rb"\s*)?(?<=[\s}])([^\s{}]+)(?:\s+(-?[\d.]+))?\s*\Z", re.DOTALL
)
_LABEL = re.compile(rb'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(,|\Z)', re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_TYPE = re.compile(r"#\s*TYPE\s+(\S+)\s+(\S+)")
_EXEMPLAR = re.compile(rb"\s#\s\{.*\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Exposition:
    """One scrape, read. `series` is the same list object as long as the target exposes the same series."""

    series: list[LabelSet]
    values: list[float]
    types: dict[str, str]  # of the families: gauge, counter, histogram, summary, untyped
    bad_lines: int  # lines that could not be read, or that gave a series a second time
    over_limit: int = 0  # lines left out because the target exposes too much


class Parser:
    """Reads the scrapes of one target. `extra_labels` go to every series; a label of the target's own with the same
    name and another value becomes `exported_NAME`, as in Prometheus.
    """

    def __init__(
        self, extra_labels: Mapping[str, str], max_series: int = MAX_SERIES, max_bytes: int = MAX_BYTES
    ) -> None:
        self._extra = dict(extra_labels)
        self._max_series = max_series
        self._max_bytes = max_bytes
        self._known: dict[bytes, LabelSet | None] = {}  # name and labels as exposed; None: dropped
        self._keys: list[bytes] | None = None  # of the last scrape, where it was plain
        self._series: list[LabelSet] = []
        self._kept: list[int] | None = None  # which of the keys are series; None: all are
        self._comments: list[bytes] = []
        self._types: dict[str, str] = {}

    def parse(self, body: bytes) -> Exposition:
        """Read one scrape. Never raises: a line that cannot be read is counted."""
        body, over_limit = self._limited(body)
        lines = body.split(b"\n")
        self._note_types([line for line in lines if line[:1] == b"#"])
        pairs = [pair for line in lines if line[:1] != b"#" and (pair := line.rsplit(None, 1))]
        try:
            keys = [key for key, _ in pairs]
            if keys != self._keys or b"_" in b"".join([value for _, value in pairs]):
                return self._read_all(pairs, over_limit)
            values = [float(value) for _, value in pairs]
        except ValueError:
            return self._read_all(pairs, over_limit)
        if self._kept is not None:
            values = [values[index] for index in self._kept]
        return Exposition(self._series, values, self._types, 0, over_limit)

    def _limited(self, body: bytes) -> tuple[bytes, int]:
        if len(body) <= self._max_bytes:
            return body, 0
        end = body.rfind(b"\n", 0, self._max_bytes) + 1
        return body[:end], body.count(b"\n", end) or 1

    def _note_types(self, comments: list[bytes]) -> None:
        if comments != self._comments:
            self._comments = comments
            found = (_TYPE.match(line.decode("utf-8", "replace")) for line in comments)
            self._types = {match[1]: match[2] for match in found if match}

    def _read_all(self, pairs: list[list[bytes]], over_limit: int) -> Exposition:
        """Every line by itself; whether the next scrape may take the short way is noted."""
        bad, plain = 0, True
        series: dict[LabelSet, float] = {}
        kept: list[int] = []
        for index, pair in enumerate(pairs):
            try:
                labels, value, ordinary = self._read(pair)
            except ValueError:
                bad += 1
                plain = False
                continue
            plain = plain and ordinary
            if labels is None:
                continue
            if labels in series:
                bad += 1
                plain = False
            elif len(series) >= self._max_series:
                over_limit += 1
            else:
                series[labels] = value
                kept.append(index)
        names = list(series)
        if names == self._series:
            names = self._series
        self._series = names
        self._keys = [pair[0] for pair in pairs] if plain and not over_limit else None
        self._kept = None if len(kept) == len(pairs) else kept
        return Exposition(names, list(series.values()), self._types, bad, over_limit)

    def _read(self, pair: list[bytes]) -> tuple[LabelSet | None, float, bool]:
        """Labels (None: not wanted), value, and whether the line is `name{labels} value` and no more."""
        key = pair[0]
        if len(pair) == 2 and key in self._known:
            return self._known[key], _number(pair[1]), True
        line = b" ".join(pair)
        match = _SAMPLE.match(line) or _SAMPLE.match(_EXEMPLAR.sub(b"", line))
        if match is None:
            if line.lstrip()[:1] == b"#":
                return None, 0.0, False
            raise ValueError("not a sample")
        name, inside, value, _ = match.groups()
        labels = self._labels(name, inside or b"")
        ordinary = line[: match.end(2) + 1 if inside is not None else match.end(1)].rstrip() == key
        if ordinary:
            if len(self._known) > 4 * self._max_series:
                self._known.clear()
            self._known[key] = labels
        return labels, _number(value), ordinary

    def _labels(self, name: bytes, inside: bytes) -> LabelSet | None:
        labels: dict[str, str] = {}
        at = 0
        while inside[at:].strip():
            match = _LABEL.match(inside, at)
            if match is None:
                raise ValueError("not a label")
            labels[match[1].decode()] = _unescaped(match[2].decode("utf-8", "replace"))
            at = match.end()
        if name.endswith(b"_created"):  # when a counter began; nobody asks, and it doubles the series
            return None
        for key, value in self._extra.items():
            if labels.get(key, value) != value:
                labels[f"exported_{key}"] = labels[key]
            labels[key] = value
        return label_set(name.decode(), labels)


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    return _ESCAPE.sub(lambda match: {"n": "\n"}.get(match[1], match[1]), text)


def _number(text: bytes) -> float:
    if b"_" in text:
        raise ValueError("not a number")
    return float(text)
