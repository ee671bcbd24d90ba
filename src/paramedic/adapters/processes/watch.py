"""Being told of a process's end at once: a pidfd in the event loop, or a look every quarter of a second."""

import asyncio
import os
from collections.abc import Callable

from paramedic.adapters.processes.stat import read_stat, same_process
from paramedic.model.target import EngineProcess, Exit

POLL_S = 0.25

ExitOf = Callable[[int], int | None]
"""The exit code of a child of ours (negative: the signal), None for everybody else's and for the living."""


def watch_process(process: EngineProcess, exit_of: ExitOf) -> "LinuxWatch":
    """Watch that process and no later one with the same pid."""
    return LinuxWatch(process, exit_of, _open_pidfd(process))


def _open_pidfd(process: EngineProcess) -> int | None:
    """None: the system cannot, or that process has already ended."""
    try:
        file = os.pidfd_open(process.pid)
    except OSError:
        return None
    if same_process(read_stat(process.pid), process.started):  # after the open: from here the pid cannot change hands
        return file
    os.close(file)
    return None


class LinuxWatch:
    """One process under watch. `cancel` it when nobody waits any more: it holds a file."""

    def __init__(self, process: EngineProcess, exit_of: ExitOf, pidfd: int | None) -> None:
        self._process = process
        self._exit_of = exit_of
        self._pidfd = pidfd
        self._cancelled = False
        self._end: asyncio.Future[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def ended(self) -> Exit:
        """Returns when the process has ended; may be awaited by several."""
        if self._end is None and self._pidfd is not None:
            self._end = self._end_of_pidfd(self._pidfd)
        if self._end is not None:
            await asyncio.shield(self._end)
        else:
            await self._poll()
        return self._exit()

    def cancel(self) -> None:
        """Watch no more; whoever waits is cancelled."""
        self._cancelled = True
        self._close()
        if self._end is not None and not self._end.done():
            self._end.cancel()

    def _end_of_pidfd(self, pidfd: int) -> asyncio.Future[None]:
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(pidfd, self._has_ended)
        return self._loop.create_future()

    def _has_ended(self) -> None:
        self._close()
        if self._end is not None and not self._end.done():
            self._end.set_result(None)

    async def _poll(self) -> None:
        while _lives(self._process):
            if self._cancelled:
                raise asyncio.CancelledError
            await asyncio.sleep(POLL_S)

    def _close(self) -> None:
        if self._pidfd is None:
            return
        if self._loop is not None:
            self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        self._pidfd = None

    def _exit(self) -> Exit:
        status = self._exit_of(self._process.pid)
        if status is not None and status < 0:
            return Exit(self._process.pid, self._process.role, signal=-status)
        return Exit(self._process.pid, self._process.role, code=status)


def _lives(process: EngineProcess) -> bool:
    stat = read_stat(process.pid)
    return stat is not None and stat.alive and same_process(stat, process.started)
