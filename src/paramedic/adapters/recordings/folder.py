"""A folder with the recording of one engine: its log, scrapes, health, GPU, host and clients, read into memory.

Of `facts.json` only the model, the flags and the environment are looked at: what else may stand there is an answer.
"""

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from paramedic.adapters.recordings.machine import client_scrapes, gpu_scrapes, health_scrapes, host_scrapes, left_over
from paramedic.adapters.recordings.observer import Seen, read_observer
from paramedic.adapters.recordings.scrapes import engine_scrapes
from paramedic.adapters.storage.samples_memory import MemorySamples
from paramedic.diagnosis.scene import Log
from paramedic.model.errors import InvalidFiles, Problem
from paramedic.model.sample import Scrape

DAYS_MS = 30 * 24 * 3600 * 1000
SCRAPES = "scrapes.txt"
MARKS = (SCRAPES, "nvml.jsonl", "host.jsonl", "health.jsonl", "facts.json", "client.jsonl")
BROKEN = (OSError, EOFError, zlib.error, UnicodeDecodeError)


@dataclass(frozen=True, slots=True)
class Recording:
    """What a folder held. `since`, `until` (epoch seconds) and `every` (seconds) are of the engine's scrapes, 0 where
    there are none.
    """

    name: str
    logs: tuple[Log, ...]
    samples: MemorySamples
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    seen: Seen
    since: float = 0.0
    until: float = 0.0
    every: float = 1.0


def is_recording(folder: Path) -> bool:
    """Whether a folder is laid out as a recording: more than logs lie in it, or one log with what its observer saw."""
    if any((folder / name).exists() or (folder / f"{name}.gz").exists() for name in MARKS):
        return True
    logs = sorted(folder.glob("*.log"))
    return len(logs) == 1 and logs[0].with_suffix(".txt").exists()


def read_folder(folder: Path, name: str = "recording") -> Recording:
    """Read a recording; its samples carry the label target=`name`. Raises InvalidFiles with every broken file."""
    problems: list[Problem] = []
    reader = _Reader(folder, problems)
    logs, log = reader.logs()
    facts = reader.facts()
    common = {"target": name, "job": "vllm", "instance": name}
    scrapes = list(engine_scrapes(reader.lines(SCRAPES), common))
    host = list(reader.records("host.jsonl"))
    series = [
        *scrapes,
        *health_scrapes(reader.records("health.jsonl"), common),
        *gpu_scrapes(reader.records("nvml.jsonl"), common, host),
        *host_scrapes(host, common),
        *client_scrapes(reader.records("client.jsonl"), common),
    ]
    observer = read_observer(reader.lines(log.with_suffix(".txt").name)) if log else Seen()
    if problems:
        raise InvalidFiles(problems)
    samples = MemorySamples(DAYS_MS)
    for scrape in sorted(series, key=lambda each: each.at):
        samples.append(scrape)
    times = [each.at / 1e9 for each in scrapes]
    return Recording(
        name,
        logs,
        samples,
        _arguments(facts) or observer.arguments,
        _environment(facts),
        observer if observer.ended else left_over(host),
        times[0] if times else 0.0,
        times[-1] if times else 0.0,
        _every(scrapes),
    )


class _Reader:
    """Reads the files of a folder, packed or not; what is broken is noted, what is not there is empty."""

    def __init__(self, folder: Path, problems: list[Problem]) -> None:
        self._folder = folder
        self._problems = problems

    def lines(self, name: str) -> list[str]:
        for path in (self._folder / name, self._folder / f"{name}.gz"):
            if path.exists():
                return self._read(path)
        return []

    def records(self, name: str) -> Iterator[dict[str, Any]]:
        """The JSON objects of a file; a last line that was cut off is left out."""
        lines = [line for line in self.lines(name) if line.strip()]
        for number, line in enumerate(lines, 1):
            try:
                record = json.loads(line)
            except ValueError:
                if number < len(lines):
                    self._wrong(name, number, "is not JSON")
                continue
            if isinstance(record, dict) and isinstance(record.get("t"), int | float):
                yield record
            else:
                self._wrong(name, number, 'must be an object with the time "t" in epoch seconds')

    def facts(self) -> dict[str, Any]:
        text = "\n".join(self.lines("facts.json"))
        try:
            facts = json.loads(text) if text.strip() else {}
        except ValueError as error:
            self._wrong("facts.json", getattr(error, "lineno", 0), "is not JSON")
            return {}
        return facts if isinstance(facts, dict) else {}

    def logs(self) -> tuple[tuple[Log, ...], Path | None]:
        """The server's log: server.log, or the one log that lies there."""
        named = [self._folder / "server.log", self._folder / "server.log.gz"]
        others = sorted([*self._folder.glob("*.log"), *self._folder.glob("*.log.gz")])
        path = next((each for each in named if each.exists()), others[0] if len(others) == 1 else None)
        if path is None:
            return (), None
        return (Log(str(path), self._read(path)),), path

    def _read(self, path: Path) -> list[str]:
        try:
            packed = path.read_bytes()
            text = (gzip.decompress(packed) if packed[:2] == b"\x1f\x8b" else packed).decode("utf-8", "replace")
        except BROKEN as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else "is damaged or cut off"
            self._problems.append(
                Problem(str(path), 0, f"cannot be read: {reason}", "record it again, or leave it out")
            )
            return []
        return text.split("\n")

    def _wrong(self, name: str, line: int, what: str) -> None:
        self._problems.append(Problem(str(self._folder / name), line, what, "a line is one JSON object"))


def _arguments(facts: Mapping[str, Any]) -> tuple[str, ...]:
    """The command line: the model, then the flags."""
    flags = facts.get("args", facts.get("flags", ()))
    words = flags.split() if isinstance(flags, str) else [str(each) for each in flags]
    if not words and "model" not in facts:
        return ()
    return ("vllm", "serve", str(facts.get("model", "")), *words)


def _environment(facts: Mapping[str, Any]) -> dict[str, str]:
    found = facts.get("env", facts.get("environment", {}))
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def _every(scrapes: list[Scrape]) -> float:
    """Seconds between two scrapes, as it mostly was."""
    gaps = sorted((after.at - before.at) / 1e9 for before, after in pairwise(scrapes))
    return max(0.2, gaps[len(gaps) // 2]) if gaps else 1.0
