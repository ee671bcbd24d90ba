"""`VLLM::EngineCore`: schedules the requests, has its workers compute each step, and says what came out."""

import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import astuple
from pathlib import Path
from typing import Any, NoReturn

from setproctitle import setproctitle

from paramedic.practice.log import Log
from paramedic.practice.scheduler import Scheduler, Sequence
from paramedic.practice.service_law import BLOCK_TOKENS
from paramedic.practice.settings import Settings, read_model_config
from paramedic.practice.troubles import Stage, at_stage
from paramedic.practice.wire import Wire

KV_BYTES_PER_TOKEN = 128 * 1024  # as of a model with 8 billion parameters
GIB = 1 << 30


class WorkerDiedError(Exception):
    """A worker is gone: the engine cannot go on."""


class StartFailedError(Exception):
    """The engine cannot start; the log says why."""


class EngineCore:
    """The busy loop. It has no idea of time-outs: stopped, it stands still; its API server dead, it lives on."""

    def __init__(self, api: Wire, settings: Settings, rank: int) -> None:
        self.api = api
        self.settings = settings
        self.rank = rank
        self.name = core_name(settings, rank)
        self.log = Log(self.name)
        self.config = read_model_config(Path(settings.model))
        self.scheduler = Scheduler(settings.law)
        self.orphan_until: float | None = None
        self.out_of_memory = False
        self.processes: list[subprocess.Popen[bytes]] = []
        self.workers: list[Wire] = []

    def start(self, lifeline_fd: int) -> None:
        """Start the workers, wait for the weights, lay out the KV cache, warm up."""
        started = time.monotonic()
        settings = self.settings
        self.log.write(
            "engine-core-start",
            model=settings.model,
            max_model_len=self.config.max_model_len,
            served_model_name=settings.served_model_name,
            tp=settings.tensor_parallel_size,
            dp=settings.data_parallel_size,
            eager=settings.enforce_eager,
        )
        for rank in range(settings.tensor_parallel_size):
            self._start_worker(rank, lifeline_fd)
        os.close(lifeline_fd)
        try:
            loaded = [self._from_worker(rank)["loaded"] for rank in range(len(self.workers))]
        except WorkerDiedError:
            self._fail("engine-core-start-failed")
        self._lay_out_kv_cache()
        try:
            self._all_workers({"warm_up": True})
        except WorkerDiedError:
            self._fail("engine-core-capture-failed")
        self.log.write("engine-core-ready", seconds=f"{time.monotonic() - started:.2f}")
        self.api.send({"ready": loaded})

    def run(self) -> None:
        """Until a worker dies, or a long time after the API server has died."""
        while self.orphan_until is None or time.monotonic() < self.orphan_until:
            self._listen(wait=not self.scheduler.has_work)
            if self.scheduler.has_work:
                self._step()

    def _start_worker(self, rank: int, lifeline_fd: int) -> None:
        ours, theirs = socket.socketpair()
        numbers = (theirs.fileno(), lifeline_fd, self.rank, rank)
        process = subprocess.Popen(
            [sys.executable, "-m", "paramedic.practice.worker", *map(str, numbers), self.settings.encode()],
            pass_fds=(theirs.fileno(), lifeline_fd),
        )
        theirs.close()
        self.processes.append(process)
        self.workers.append(Wire(ours))

    def _lay_out_kv_cache(self) -> None:
        settings, law, length = self.settings, self.scheduler.law, self.config.max_model_len
        blocks = law.blocks
        if trouble := at_stage(settings.data_dir, settings.port, Stage.KV_CACHE):
            if trouble.fault == "no-memory-for-kv-cache":
                self._fail(trouble.fault)
            blocks = length // BLOCK_TOKENS // 2
        tokens = blocks * BLOCK_TOKENS
        if tokens < length:
            needed, there = (f"{count * KV_BYTES_PER_TOKEN / GIB:.2f}" for count in (length, tokens))
            self._fail("kv-cache-smaller-than-max-model-len", length=length, needed=needed, there=there, fitting=tokens)
        self.log.write(
            "engine-core-kv",
            tokens=f"{tokens:,}",
            max_model_len=f"{length:,}",
            concurrency=f"{tokens / length:.2f}x",
        )

    def _fail(self, lines: str, **values: object) -> NoReturn:
        self.log.write(lines, process=self.name, **values)
        for process in self.processes:
            process.terminate()
            process.wait()
        raise StartFailedError

    def _listen(self, *, wait: bool) -> None:
        sources = self.workers if self.orphan_until else [self.api, *self.workers]
        patience = self.orphan_until - time.monotonic() if self.orphan_until else None
        ready, _, _ = select.select(sources, [], [], patience if wait else 0)
        for rank, worker in enumerate(self.workers):  # they never speak unasked
            if worker in ready:
                self._from_worker(rank)
        if self.api in ready:
            for message in self.api.receive():
                self._obey(message)
            if not self.api.open:
                self.orphan_until = time.monotonic() + self.settings.orphan_seconds

    def _obey(self, message: Mapping[str, Any]) -> None:
        match message:
            case {"abort": request}:
                self.scheduler.abort(request)
                self._report((), 0, 0, 0)
            case {"stall": seconds}:
                time.sleep(seconds)
            case {"eager": eager}:
                self.scheduler.law = self.settings.law.in_eager_mode(eager)
            case {"out_of_memory": True}:
                self.out_of_memory = True
            case {"add": request}:
                self.scheduler.add(Sequence(**request, queued=time.monotonic()))

    def _step(self) -> None:
        batch = self.scheduler.schedule(time.monotonic())
        if self.out_of_memory:
            self._run_out_of_memory()
        self._all_workers({"seconds": batch.seconds(self.scheduler.law)})
        step = self.scheduler.complete(batch, time.monotonic())
        outputs = tuple(astuple(output) for output in step.outputs)
        self._report(outputs, step.prompt_tokens, step.iteration_tokens, step.preemptions)

    def _run_out_of_memory(self) -> NoReturn:
        self.workers[0].send({"out_of_memory": True})
        self.processes[0].wait()
        running, waiting = len(self.scheduler.running), len(self.scheduler.waiting)
        self.log.write("engine-core-oom", running=running, waiting=waiting, kv=self.scheduler.kv_usage)
        sys.exit(1)

    def _report(self, outputs: tuple[Any, ...], prompt: int, tokens: int, preemptions: int) -> None:
        self.api.send(
            {
                "now": time.monotonic(),
                "outputs": outputs,
                "prompt_tokens": prompt,
                "iteration_tokens": tokens,
                "preemptions": preemptions,
                "running": len(self.scheduler.running),
                "waiting": len(self.scheduler.waiting),
                "kv_usage": self.scheduler.kv_usage,
            }
        )

    def _all_workers(self, order: dict[str, object]) -> None:
        """Have every rank do it, and wait for the last one."""
        for worker in self.workers:
            worker.send(order)
        for rank in range(len(self.workers)):
            self._from_worker(rank)

    def _from_worker(self, rank: int) -> dict[str, Any]:
        worker = self.workers[rank]
        while worker.open:
            for message in worker.receive():
                answer: dict[str, Any] = message
                return answer
        raise WorkerDiedError(rank)

    def mourn(self, rank: int) -> None:
        """A worker has died while we served."""
        self.log.write("worker-died", rank=rank, code=self.processes[rank].wait())


def core_name(settings: Settings, rank: int) -> str:
    """What a core is called in the log and, after `VLLM::`, in the process list."""
    return f"EngineCore_DP{rank}" if settings.data_parallel_size > 1 else "EngineCore"


def main(settings: Settings, api_fd: int, lifeline_fd: int, rank: int) -> None:
    setproctitle(f"VLLM::{core_name(settings, rank)}")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the API server ends us
    core = EngineCore(Wire(socket.socket(fileno=api_fd)), settings, rank)

    def end(*_: object) -> None:
        core.log.write("engine-core-sigterm")
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, end)
    try:
        core.start(lifeline_fd)
        core.run()
    except StartFailedError:
        sys.exit(1)
    except WorkerDiedError as died:
        core.mourn(died.args[0])
        sys.exit(1)


if __name__ == "__main__":
    main(Settings.decode(sys.argv[4]), *map(int, sys.argv[1:4]))
