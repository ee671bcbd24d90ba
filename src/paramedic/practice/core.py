"""`VLLM::EngineCore`: schedules the requests, has the worker compute each step, and says what came out."""

import os
import select
import signal
import socket
import subprocess
import sys
import time
from dataclasses import astuple
from pathlib import Path
from typing import Any

from setproctitle import setproctitle

from paramedic.practice.log import Log
from paramedic.practice.scheduler import BLOCK_TOKENS, BLOCKS, Scheduler, Sequence
from paramedic.practice.settings import Settings, read_model_config
from paramedic.practice.wire import Wire


class WorkerDiedError(Exception):
    """The worker is gone: the engine cannot go on."""


class EngineCore:
    """The busy loop. It has no idea of time-outs: stopped, it stands still; its API server dead, it lives on."""

    def __init__(self, api: Wire, settings: Settings, log: Log) -> None:
        self.api = api
        self.settings = settings
        self.log = log
        self.scheduler = Scheduler(settings.max_num_seqs)
        self.orphan_until: float | None = None

    def start(self, lifeline_fd: int) -> None:
        """Start the worker and wait until it has loaded the model."""
        started = time.monotonic()
        config = read_model_config(Path(self.settings.model))
        self.log.write(
            "engine-core-start",
            model=self.settings.model,
            max_model_len=config.max_model_len,
            served_model_name=self.settings.served_model_name,
        )
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-m", "paramedic.practice.worker"]
        self.process = subprocess.Popen(
            [*command, str(theirs.fileno()), str(lifeline_fd), self.settings.encode()],
            pass_fds=(theirs.fileno(), lifeline_fd),
        )
        theirs.close()
        os.close(lifeline_fd)
        self.worker = Wire(ours)
        loaded = self._from_worker()
        tokens = BLOCKS * BLOCK_TOKENS
        self.log.write(
            "engine-core-ready",
            tokens=f"{tokens:,}",
            max_model_len=f"{config.max_model_len:,}",
            concurrency=f"{tokens / config.max_model_len:.2f}x",
            seconds=f"{time.monotonic() - started:.2f}",
        )
        self.api.send({"ready": loaded["loaded"]})

    def run(self) -> None:
        """Until the worker dies, or a long time after the API server has died."""
        while self.orphan_until is None or time.monotonic() < self.orphan_until:
            self._listen(wait=not self.scheduler.has_work)
            if self.scheduler.has_work:
                self._step()

    def _listen(self, *, wait: bool) -> None:
        sources = [self.worker] if self.orphan_until else [self.api, self.worker]
        patience = self.orphan_until - time.monotonic() if self.orphan_until else None
        ready, _, _ = select.select(sources, [], [], patience if wait else 0)
        if self.worker in ready:  # it never speaks unasked
            self._from_worker()
        if self.api in ready:
            for message in self.api.receive():
                self._obey(message)
            if not self.api.open:
                self.orphan_until = time.monotonic() + self.settings.orphan_seconds

    def _obey(self, message: dict[str, Any]) -> None:
        if "abort" in message:
            self.scheduler.abort(message["abort"])
            self._report((), 0, 0, 0)
        else:
            self.scheduler.add(Sequence(**message["add"], queued=time.monotonic()))

    def _step(self) -> None:
        batch = self.scheduler.schedule(time.monotonic())
        self.worker.send({"seconds": batch.seconds(1 / self.settings.tokens_per_second)})
        self._from_worker()
        step = self.scheduler.complete(batch, time.monotonic())
        outputs = tuple(astuple(output) for output in step.outputs)
        self._report(outputs, step.prompt_tokens, step.iteration_tokens, step.preemptions)

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
                "kv_usage": self.scheduler.blocks_used / BLOCKS,
            }
        )

    def _from_worker(self) -> dict[str, Any]:
        while self.worker.open:
            for message in self.worker.receive():
                answer: dict[str, Any] = message
                return answer
        self.log.write("worker-died", code=self.process.wait())
        raise WorkerDiedError


def main(api_fd: int, lifeline_fd: int, settings: Settings) -> None:
    setproctitle("VLLM::EngineCore")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the API server ends us
    log = Log("EngineCore")

    def end(*_: object) -> None:
        log.write("engine-core-sigterm")
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, end)
    core = EngineCore(Wire(socket.socket(fileno=api_fd)), settings, log)
    try:
        core.start(lifeline_fd)
        core.run()
    except WorkerDiedError:
        sys.exit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Settings.decode(sys.argv[3]))
