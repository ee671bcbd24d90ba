"""The API server's end of the engine core: starts it, hands it requests, deals out what it says, notices its death."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from paramedic.practice.log import Log
from paramedic.practice.metrics import EngineMetrics, EngineState, FinishedRequest
from paramedic.practice.settings import Settings

GRACE_SECONDS = 0.3  # between SIGTERM and SIGKILL of the engine core
SIGNAL_RACE_SECONDS = 0.1  # a signal to the whole group may reach the core before us: then its end is no death


class EngineDeadError(Exception):
    """The engine core is gone; no request can be served any more."""


@dataclass(slots=True)
class Generation:
    """A request on its way through the engine. Items of the queue: (text, finish reason), or None: the engine died."""

    id: str
    prompt_tokens: int
    max_tokens: int
    arrived: float = field(default_factory=time.monotonic)
    generated: int = 0
    last: float = 0.0
    outputs: asyncio.Queue[tuple[str, str | None] | None] = field(default_factory=asyncio.Queue)


class EngineClient:
    """One engine core with its worker. `died` is set when the core ends without having been asked to."""

    def __init__(self, settings: Settings, metrics: EngineMetrics, log: Log) -> None:
        self.settings = settings
        self.metrics = metrics
        self.log = log
        self.died = asyncio.Event()
        self.generations: dict[str, Generation] = {}
        self.worker_pid: int | None = None
        self.tokens = {"prompt": 0, "generation": 0}  # so far; the stats line works with differences
        self.state = EngineState()
        self._process: subprocess.Popen[bytes] | None = None
        self.ending = False  # we have been asked to stop: the end of the core is no death

    @property
    def core_pid(self) -> int | None:
        """The pid of the engine core while it lives."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    async def start(self) -> bool:
        """Start the core and wait until it is ready; false when it ended before that."""
        reader, self._writer = await asyncio.open_connection(sock=self._spawn(), limit=1 << 22)
        first = await reader.readline()
        if not first:
            return False
        self.worker_pid = json.loads(first)["ready"]
        self._listener = asyncio.create_task(self._listen(reader))
        return True

    def _spawn(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        lifeline, self._lifeline = os.pipe()  # our end closes when we die, however that happens
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "paramedic.practice.core"),
                *(str(theirs.fileno()), str(lifeline), self.settings.encode()),
            ],
            pass_fds=(theirs.fileno(), lifeline),
        )
        theirs.close()
        os.close(lifeline)
        return ours

    async def generate(
        self, request: dict[str, Any], prompt_tokens: int, max_tokens: int
    ) -> AsyncGenerator[tuple[str, str | None], None]:
        """Every token of the answer with the finish reason at the last; leaving early aborts the request."""
        if self.died.is_set():
            raise EngineDeadError
        generation = Generation(request["id"], prompt_tokens, max_tokens)
        self.generations[generation.id] = generation
        self._say({"add": {**request, "prompt_tokens": prompt_tokens, "max_tokens": max_tokens}})
        try:
            while True:
                item = await generation.outputs.get()
                if item is None:
                    raise EngineDeadError
                yield item
                if item[1] is not None:
                    return
        finally:
            if self.generations.pop(generation.id, None) and not self.died.is_set():
                self._say({"abort": generation.id})

    def abort_all(self) -> None:
        """End every open request with the reason `abort`."""
        for generation in self.generations.values():
            generation.outputs.put_nowait(("", "abort"))

    async def stop(self) -> None:
        """End the core and its worker, gently where that works at once, whatever state they are in."""
        self.ending = True
        process = self._process
        if process is None:
            return
        process.terminate()
        try:
            await asyncio.to_thread(process.wait, GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self.log.write("shutdown-kill-core", pid=process.pid)
        self.kill()
        with suppress(AttributeError):
            self._listener.cancel()

    def kill(self) -> None:
        """Make sure that neither lives."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        if self.worker_pid is not None and _is_worker(self.worker_pid):
            with suppress(ProcessLookupError):
                os.kill(self.worker_pid, signal.SIGKILL)

    def _say(self, message: dict[str, Any]) -> None:
        self._writer.write(json.dumps(message).encode() + b"\n")

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        with suppress(ConnectionError):
            while line := await reader.readline():
                self._note(json.loads(line))
        await asyncio.sleep(SIGNAL_RACE_SECONDS)
        if not self.ending:
            self.log.write("engine-core-died")
            self.died.set()
            for generation in self.generations.values():
                generation.outputs.put_nowait(None)

    def _note(self, step: dict[str, Any]) -> None:
        now = step["now"]
        self.state = EngineState(step["running"], step["waiting"], step["kv_usage"])
        self.metrics.scheduler(self.state)
        if step["iteration_tokens"]:
            self.metrics.step(step["prompt_tokens"], step["iteration_tokens"], step["preemptions"])
        self.tokens["prompt"] += step["prompt_tokens"]
        self.tokens["generation"] += len(step["outputs"])
        self.metrics.count("generation_tokens", len(step["outputs"]))
        for id_, text, finish, queued, scheduled, first, preemptions in step["outputs"]:
            generation = self.generations.get(id_)
            if generation is None:
                continue
            if generation.generated == 0:
                self.metrics.observe("time_to_first_token_seconds", time.monotonic() - generation.arrived)
            else:
                self.metrics.observe("inter_token_latency_seconds", now - generation.last)
            generation.generated += 1
            generation.last = now
            if finish:
                self.generations.pop(id_)
                self.metrics.finished(
                    FinishedRequest(
                        finish, generation.prompt_tokens, generation.generated, generation.max_tokens,
                        generation.arrived, queued, scheduled, first, now, preemptions,
                    )
                )  # fmt: skip
            generation.outputs.put_nowait((text, finish))


def _is_worker(pid: int) -> bool:
    """Whether the pid still is our worker: it may have ended and its number been given away."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as cmdline:  # noqa: PTH123 (a file of the kernel)
            return cmdline.read().startswith(b"VLLM::Worker")
    except OSError:
        return False
