"""One engine core as the API server holds it: its process, what it says and is told, its end."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

from paramedic.practice.core import core_name
from paramedic.practice.log import Log
from paramedic.practice.settings import Settings

GRACE_SECONDS = 0.3  # between SIGTERM and SIGKILL of the engine core
LONGEST_MESSAGE = 1 << 22


class CoreProcess:
    """The engine core of one data-parallel rank, with its workers."""

    def __init__(self, settings: Settings, rank: int, log: Log) -> None:
        self.settings = settings
        self.rank = rank
        self.name = core_name(settings, rank)
        self.log = log
        self.worker_pids: list[int] = []
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The pid of the engine core while it lives."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    async def start(self, lifeline: int) -> bool:
        """Start it and wait until it is ready; false when it ended before that."""
        ours = self._spawn(lifeline)
        self._reader, self._writer = await asyncio.open_connection(sock=ours, limit=LONGEST_MESSAGE)
        first = await self._reader.readline()
        if not first:
            return False
        self.worker_pids = json.loads(first)["ready"]
        return True

    async def messages(self) -> AsyncIterator[dict[str, Any]]:
        """What it says, until it is gone."""
        with suppress(ConnectionError):
            while line := await self._reader.readline():
                yield json.loads(line)

    def say(self, message: dict[str, Any]) -> None:
        self._writer.write(json.dumps(message).encode() + b"\n")

    async def stop(self) -> None:
        """End it and its workers, gently where that works at once, whatever state they are in."""
        process = self._process
        if process is None:
            return
        self.log.write("shutdown-core", process=self.name)
        process.terminate()
        try:
            await asyncio.to_thread(process.wait, GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self.log.write("shutdown-kill-core", process=self.name, pid=process.pid)
        self.kill()

    def kill(self) -> None:
        """Make sure that none of them lives."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        for pid in filter(_is_worker, self.worker_pids):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _spawn(self, lifeline: int) -> socket.socket:
        ours, theirs = socket.socketpair()
        numbers = (theirs.fileno(), lifeline, self.rank)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "paramedic.practice.core", *map(str, numbers), self.settings.encode()],
            pass_fds=(theirs.fileno(), lifeline),
        )
        theirs.close()
        return ours


def _is_worker(pid: int) -> bool:
    """Whether the pid still is our worker: it may have ended and its number been given away."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as cmdline:  # noqa: PTH123 (a file of the kernel)
            return cmdline.read().startswith(b"VLLM::Worker")
    except OSError:
        return False
