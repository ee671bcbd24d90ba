"""Logs that lie where only a running process leads: in a container's own file system. They are kept at hand."""

import os
import re
from dataclasses import replace
from pathlib import Path

from paramedic.adapters.logs.file_log import FileLog
from paramedic.ports import LogChunk, LogSource

_INSIDE = re.compile(r"/proc/[0-9]+/root/")
_KEPT = 32  # files; a run of an engine has one


class Logs:
    """Opens logs for a daemon. The last words of a process in a container are read after its file system is gone."""

    def __init__(self) -> None:
        self._held: dict[str, int] = {}

    def open(self, path: str) -> LogSource:
        """Never raises: a log that cannot be read has no lines."""
        if _INSIDE.match(path) is None:
            return FileLog(Path(path))
        self._hold(path)
        held = self._held.get(path)
        return FileLog(Path(path)) if held is None else HeldLog(path, held)

    def close(self) -> None:
        """Let go of all of them."""
        for held in self._held.values():
            os.close(held)
        self._held.clear()

    def _hold(self, path: str) -> None:
        """Hold the file that is there now; the one of before stays where there is none any more."""
        try:
            fresh = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError:
            return
        earlier = self._held.pop(path, None)
        self._held[path] = fresh
        forgotten = self._held.pop(next(iter(self._held))) if len(self._held) > _KEPT else None
        for descriptor in (earlier, forgotten):
            if descriptor is not None:
                os.close(descriptor)


class HeldLog:
    """A LogSource at a path that may vanish; then the file is read that was last seen there."""

    def __init__(self, path: str, held: int) -> None:
        self._path = path
        there = os.path.exists(path)  # noqa: PTH110
        self._log = FileLog(Path(path) if there else Path(f"/proc/self/fd/{held}"))

    def new_lines(self) -> LogChunk:
        return replace(self._log.new_lines(), file=self._path)

    def tail(self, max_bytes: int) -> LogChunk:
        return replace(self._log.tail(max_bytes), file=self._path)

    def close(self) -> None:
        self._log.close()
