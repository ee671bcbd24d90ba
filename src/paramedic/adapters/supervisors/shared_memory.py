"""What an engine that was killed leaves in /dev/shm: hundreds of megabytes that nobody will ever free."""

import os
import re
from collections.abc import Iterable
from pathlib import Path

from paramedic.adapters.processes.stat import PROC, pids, read_stat

SHARED = Path("/dev/shm")  # noqa: S108 (the place itself, not a file of ours)
ENGINE_NAMES = re.compile(r"/dev/shm/(psm_[0-9a-f]+|sem\.mp-\w+)$")  # noqa: S108


def segments_of(processes: Iterable[int]) -> set[str]:
    """The shared-memory files that these processes hold now: ask before they are ended."""
    return {path for pid in processes for path in _held_by(pid) or () if ENGINE_NAMES.match(path)}


def remove_leftovers(segments: Iterable[str]) -> tuple[list[str], int]:
    """Remove those which nobody holds any more: (their paths, bytes freed). When a look fails, nothing is removed."""
    left = {path for path in segments if Path(path).exists()}
    if not left:
        return [], 0
    for pid in pids():
        held = _held_by(pid)
        if held is None and _could_hold(pid):
            return [], 0
        left -= held or set()
    removed, freed = [], 0
    for path in sorted(left):
        try:
            size = Path(path).lstat().st_blocks * 512
            Path(path).unlink()
        except OSError:
            continue
        removed.append(path)
        freed += size
    return removed, freed


def _could_hold(pid: int) -> bool:
    """A living process of this user that may not be seen; the files are closed to other users, and init uses none."""
    stat = read_stat(pid)
    try:
        return pid != 1 and stat is not None and stat.alive and Path(PROC, str(pid)).stat().st_uid == os.getuid()
    except OSError:
        return False


def _held_by(pid: int) -> set[str] | None:
    """Paths in /dev/shm that a process has mapped or open; None when it may not be seen or is gone."""
    held = set()
    try:
        with Path(PROC, str(pid), "maps").open(encoding="utf-8", errors="replace") as maps:
            for line in maps:
                at = line.find("/dev/shm/")  # noqa: S108
                if at >= 0:
                    held.add(line[at:].rstrip("\n"))
        for link in Path(PROC, str(pid), "fd").iterdir():
            held.add(_target(link))
    except OSError:
        return None
    return {path for path in held if path.startswith("/dev/shm/")}  # noqa: S108


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""
