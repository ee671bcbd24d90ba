"""`VLLM::Worker`: loads its part of the model and does the arithmetic of a step, that is, takes the time it costs."""

import os
import select
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from setproctitle import setproctitle

from paramedic.practice import weights
from paramedic.practice.log import Log
from paramedic.practice.settings import Settings
from paramedic.practice.troubles import Manner, Stage, at_stage
from paramedic.practice.wire import Wire

SHARDS = 8
STILL_SECONDS = 0.2  # how often one that stands still looks whether it may go on


class Worker:
    """One rank. It knows its engine core only; the lifeline closes when the API server dies."""

    def __init__(self, core: Wire, lifeline: int, settings: Settings, engine: int, rank: int) -> None:
        self.core = core
        self.lifeline = lifeline
        self.settings = settings
        self.engine = engine
        self.rank = rank
        self.log = Log(worker_name(settings, engine, rank))
        self.core_pid = os.getppid()

    def load(self) -> None:
        """Pass the stages up to the loaded weights, and tell the core."""
        settings, seconds = self.settings, self.settings.start_seconds
        trouble = at_stage(settings.data_dir, settings.port, Stage.LOADING)
        self.log.write(
            "worker-load",
            model=settings.model,
            rank=self.rank,
            world=settings.tensor_parallel_size,
            dp=self.engine,
            tp=self.rank,
        )
        self._pass(seconds * 0.1)
        if trouble and trouble.manner is Manner.SLOW:
            seconds = trouble.seconds
        while trouble and trouble.manner is Manner.STANDS_STILL:
            self._pass(STILL_SECONDS)
            trouble = at_stage(settings.data_dir, settings.port, Stage.LOADING)
        if trouble and trouble.manner is Manner.FAILS:
            self._fail(trouble.fault)
        self.log.write("worker-initialised", seconds=f"{seconds * 0.1:.6f}")
        if damage := weights.damage(Path(settings.model)):
            self._fail("weights-corrupt-or-truncated", reason=damage)
        self._read_shards(seconds * 0.6)
        self.log.write("worker-loaded", seconds=f"{seconds * 0.6:.2f}")
        self.core.send({"loaded": os.getpid()})

    def serve(self) -> None:
        """Do what the core asks for, until it is gone or has been an orphan for long."""
        waits: list[Wire | int] = [self.core, self.lifeline]
        deadline: float | None = None
        while self.core.open:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            ready, _, _ = select.select(waits, [], [], left)
            if self.lifeline in ready:
                waits, deadline = [self.core], time.monotonic() + self.settings.orphan_seconds
            elif self.core in ready:
                for order in self.core.receive():
                    self._obey(order)
            elif deadline is not None and time.monotonic() >= deadline:
                if os.getppid() == self.core_pid:  # it may stand still for ever, stopped by a fault
                    with suppress(ProcessLookupError):
                        os.kill(self.core_pid, signal.SIGKILL)
                return
        self.log.write("worker-parent-gone")

    def _obey(self, order: dict[str, float]) -> None:
        if "out_of_memory" in order:
            self._fail("oom-gpu-runtime")
        elif "warm_up" in order:
            self._warm_up()
        else:
            time.sleep(order["seconds"])
        self.core.send({"done": True})

    def _warm_up(self) -> None:
        settings = self.settings
        if trouble := at_stage(settings.data_dir, settings.port, Stage.CAPTURING):
            self._fail(trouble.fault)
        self._pass(settings.start_seconds * 0.3)
        self.log.write("worker-warm", seconds=f"{settings.start_seconds * 0.3:.2f}")

    def _read_shards(self, seconds: float) -> None:
        """A progress line a shard, as the real loader draws them."""
        for shard in range(SHARDS + 1):
            passed = seconds * shard / SHARDS
            self.log.write(
                "worker-shard",
                percent=f"{100 * shard // SHARDS:3d}",
                shard=shard,
                shards=SHARDS,
                passed=_clock(passed),
                left="?" if shard == 0 else _clock(seconds - passed),
                rate="?it/s" if shard == 0 or seconds == 0 else f"{seconds / SHARDS:.2f}s/it",
            )
            if shard < SHARDS:
                self._pass(seconds / SHARDS)

    def _pass(self, seconds: float) -> None:
        """Let time pass, unless the core goes meanwhile; it says nothing while we load."""
        ready, _, _ = select.select([self.core], [], [], seconds)
        if ready:
            self.core.receive()
            if not self.core.open:
                sys.exit(0)

    def _fail(self, lines: str, **values: str) -> NoReturn:
        """End as a worker does whose code raised. All ranks meet it, the first one tells of it."""
        if self.rank == 0:
            self.log.write(lines, **values)
        sys.exit(1)


def worker_name(settings: Settings, engine: int, rank: int) -> str:
    """What a rank is called in the log and, after `VLLM::`, in the process list."""
    parts = [f"_DP{engine}"] * (settings.data_parallel_size > 1) + [f"_TP{rank}"] * (settings.tensor_parallel_size > 1)
    return "".join(["Worker", *parts])


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60:02d}:{int(seconds) % 60:02d}"


def main(settings: Settings, core_fd: int, lifeline_fd: int, engine: int, rank: int) -> None:
    setproctitle(f"VLLM::{worker_name(settings, engine, rank)}")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the API server ends us
    worker = Worker(Wire(socket.socket(fileno=core_fd)), lifeline_fd, settings, engine, rank)
    worker.load()
    worker.serve()


if __name__ == "__main__":
    main(Settings.decode(sys.argv[5]), *map(int, sys.argv[1:5]))
