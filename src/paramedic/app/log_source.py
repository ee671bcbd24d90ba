"""Which log a person means: a file, the one in a folder or a bundle, or that of a server by its name or address."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from paramedic.adapters.recordings.folder import is_recording, read_folder
from paramedic.app.bundle_unpack import is_archive, unpacked
from paramedic.model.errors import CouldNotTell, InvalidFiles, Problem
from paramedic.signals.series import Matcher

STDIN = "-"
HELD = "paramedic_gpu_process_memory_bytes"
EVER = 2**62  # milliseconds
GIB = 1024**3


@dataclass(frozen=True, slots=True)
class HeldMemory:
    """What the driver saw on the GPU where the server held most, in GiB: its processes and all others, each at most."""

    server: float
    others: float


@dataclass(frozen=True, slots=True)
class ServerLog:
    """Where a server's log lies, its command line where its process is seen, and its memory where it was recorded."""

    path: Path
    arguments: tuple[str, ...] = ()
    held: HeldMemory | None = None


@contextmanager
def server_log(word: str, data_dir: Path) -> Iterator[ServerLog]:
    """The log that is meant, for as long as it is looked at.

    `word` "" is the only server of this machine. Raises UsageError, InvalidFiles or CouldNotTell.
    """
    path = Path(word) if word else None
    if path is not None and path.is_dir():
        yield _of_folder(path, word)
    elif path is not None and path.is_file() and is_archive(path):
        with unpacked(path) as (folder, _):
            yield _of_folder(folder, word)
    elif path is not None and (word == STDIN or path.exists() or _is_path(word)):
        yield ServerLog(path)
    else:
        from paramedic.app.recorder_run import find  # what a daemon is built of: a file needs none of it

        subject = find(word, data_dir)
        if not subject.log:
            raise CouldNotTell(f"where {subject.target.name} writes its log is not known: give the file")
        yield ServerLog(Path(subject.log), subject.argv)


def _is_path(word: str) -> bool:
    return "://" not in word and ("/" in word or word.endswith((".log", ".gz", ".txt")))


def _in_folder(folder: Path, name: str) -> Path:
    found = sorted({*folder.glob("*.log"), *folder.glob("*.log.gz")})
    whole = [each for each in found if each.name in ("server.log", "server.log.gz")] or found
    if len(whole) != 1:
        raise InvalidFiles([Problem(name, 0, f"holds {len(found)} logs", "give the one that is meant")])
    return whole[0]


def _of_folder(folder: Path, name: str) -> ServerLog:
    path = _in_folder(folder, name)
    return ServerLog(path, held=_held(folder) if is_recording(folder) else None)


def _held(folder: Path) -> HeldMemory | None:
    """None where nobody recorded which process held how much."""
    samples = read_folder(folder).samples
    held: dict[tuple[str, str], dict[int, float]] = {}  # of a GPU and a part: bytes at each time, over the processes
    for series in samples.select((Matcher("__name__", "=", HELD),), 0, EVER):
        labels = dict(series.labels)
        sums = held.setdefault((labels.get("gpu", ""), labels.get("part", "")), {})
        for at, value in zip(series.times.tolist(), series.values.tolist(), strict=True):
            if not math.isnan(value):
                sums[at] = sums.get(at, 0.0) + value
    peaks = {key: max(sums.values(), default=0.0) / GIB for key, sums in held.items()}
    ours = {gpu: peak for (gpu, part), peak in peaks.items() if part == "engine"}
    if not ours:
        return None
    fullest = max(ours, key=lambda gpu: ours[gpu])
    return HeldMemory(ours[fullest], peaks.get((fullest, "other"), 0.0))
