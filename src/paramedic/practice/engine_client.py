"""The API server's view of its engine: hands out requests to the engine cores, deals out what they say."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

from paramedic.practice.core_process import CoreProcess
from paramedic.practice.log import Log
from paramedic.practice.metrics import EngineMetrics, EngineState, FinishedRequest
from paramedic.practice.settings import Settings

SIGNAL_RACE_SECONDS = 0.1  # a signal to the whole group may reach the core before us: then its end is no death

Item = tuple[str, str | None]  # a token's text and, with the last one, the finish reason


class EngineDeadError(Exception):
    """The engine core is gone; no request can be served any more."""


@dataclass(slots=True)
class Generation:
    """A request on its way through the engine. None in its queue: the engine died."""

    id: str
    prompt_tokens: int
    max_tokens: int
    arrived: float = field(default_factory=time.monotonic)
    generated: int = 0
    last: float = 0.0
    outputs: asyncio.Queue[Item | None] = field(default_factory=asyncio.Queue)


@dataclass(slots=True)
class Rank:
    """One data-parallel rank: its process, its open requests, and what the stats line and /metrics say of it."""

    process: CoreProcess
    generations: dict[str, Generation] = field(default_factory=dict)
    tokens: dict[str, int] = field(default_factory=lambda: {"prompt": 0, "generation": 0})  # so far
    state: EngineState = field(default_factory=EngineState)


class EngineClient:
    """Every engine core with its workers. `died` is set when one ends without having been asked to."""

    def __init__(self, settings: Settings, metrics: EngineMetrics, log: Log) -> None:
        self.settings = settings
        self.metrics = metrics
        self.log = log
        self.died = asyncio.Event()
        self.ending = False  # we have been asked to stop: the end of a core is no death
        self.ranks = [Rank(CoreProcess(settings, rank, log)) for rank in range(settings.data_parallel_size)]
        self.failed = ""  # the name of the core that could not start
        self._coordinator: subprocess.Popen[bytes] | None = None
        self._listeners: list[asyncio.Task[None]] = []

    @property
    def core_pid(self) -> int | None:
        """The pid of the first engine core while it lives."""
        return self.ranks[0].process.pid

    @property
    def worker_pids(self) -> list[int]:
        return [pid for rank in self.ranks for pid in rank.process.worker_pids]

    async def start(self) -> bool:
        """Start every core and wait until all are ready; false as soon as one has ended before that."""
        lifeline, self._lifeline = os.pipe()  # our end closes when we die, however that happens
        if len(self.ranks) > 1:
            self._coordinator = _start_coordinator(lifeline, self.settings)
        starting = {asyncio.create_task(rank.process.start(lifeline)): rank for rank in self.ranks}
        for next_one in asyncio.as_completed(starting):
            if not await next_one:
                ended = (rank for task, rank in starting.items() if task.done() and not task.result())
                self.failed = next(ended).process.name
                return False
        os.close(lifeline)
        self._listeners = [asyncio.create_task(self._listen(rank)) for rank in self.ranks]
        return True

    async def generate(
        self, request: dict[str, Any], prompt_tokens: int, max_tokens: int
    ) -> AsyncGenerator[Item, None]:
        """Every token of the answer with the finish reason at the last; leaving early aborts the request."""
        if self.died.is_set():
            raise EngineDeadError
        rank = min(self.ranks, key=lambda rank: len(rank.generations))
        generation = Generation(request["id"], prompt_tokens, max_tokens)
        rank.generations[generation.id] = generation
        rank.process.say({"add": {**request, "prompt_tokens": prompt_tokens, "max_tokens": max_tokens}})
        try:
            while True:
                item = await generation.outputs.get()
                if item is None:
                    raise EngineDeadError
                yield item
                if item[1] is not None:
                    return
        finally:
            if rank.generations.pop(generation.id, None) and not self.died.is_set():
                rank.process.say({"abort": generation.id})

    def say(self, message: dict[str, Any]) -> None:
        """Tell every core."""
        for rank in self.ranks:
            rank.process.say(message)

    def abort_all(self) -> None:
        """End every open request with the reason `abort`."""
        for rank in self.ranks:
            for generation in rank.generations.values():
                generation.outputs.put_nowait(("", "abort"))

    async def stop(self) -> None:
        """End every core and its workers, gently where that works at once, whatever state they are in."""
        self.ending = True
        await asyncio.gather(*(rank.process.stop() for rank in self.ranks))
        self.kill()
        for listener in self._listeners:
            listener.cancel()

    def kill(self) -> None:
        """Make sure that nothing of the engine lives."""
        for rank in self.ranks:
            rank.process.kill()
        if self._coordinator is not None:
            self._coordinator.kill()
            self._coordinator.wait()

    async def _listen(self, rank: Rank) -> None:
        async for step in rank.process.messages():
            self._note(rank, step)
        await asyncio.sleep(SIGNAL_RACE_SECONDS)
        if not self.ending and not self.died.is_set():
            self._mourn(rank)

    def _mourn(self, lost: Rank) -> None:
        self.log.write("shutdown-core", process=lost.process.name)
        self.log.write("engine-core-died")
        self.died.set()
        for rank in self.ranks:
            for generation in rank.generations.values():
                generation.outputs.put_nowait(None)
        if len(self.ranks) > 1:
            self.kill()  # one core's death is the end of all

    def _note(self, rank: Rank, step: dict[str, Any]) -> None:
        number, outputs = rank.process.rank, step["outputs"]
        generated = sum(output[1] is not None for output in outputs)
        rank.state = EngineState(step["running"], step["waiting"], step["kv_usage"])
        self.metrics.scheduler(rank.state, number)
        if step["iteration_tokens"]:
            self.metrics.step(step["prompt_tokens"], step["iteration_tokens"], step["preemptions"], number)
        rank.tokens["prompt"] += step["prompt_tokens"]
        rank.tokens["generation"] += generated
        self.metrics.count("generation_tokens", generated, engine=number)
        for output in outputs:
            self._deal_out(rank, step["now"], *output)

    def _deal_out(
        self,
        rank: Rank,
        now: float,
        id_: str,
        text: str | None,
        finish: str | None,
        queued: float,
        scheduled: float,
        first: float,
        preemptions: int,
    ) -> None:
        generation = rank.generations.get(id_)
        if generation is None:
            return
        number = rank.process.rank
        if generation.generated == 0:
            self.metrics.observe("time_to_first_token_seconds", time.monotonic() - generation.arrived, number)
        else:
            self.metrics.observe("inter_token_latency_seconds", now - generation.last, number)
        generation.generated += text is not None
        generation.last = now
        if finish:
            rank.generations.pop(id_)
            finished = FinishedRequest(
                finish, generation.prompt_tokens, generation.generated, generation.max_tokens,
                generation.arrived, queued, scheduled, first, now, preemptions,
            )  # fmt: skip
            self.metrics.finished(finished, number)
        generation.outputs.put_nowait((text or "", finish))


def _start_coordinator(lifeline: int, settings: Settings) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "paramedic.practice.coordinator", str(lifeline), settings.encode()]
    return subprocess.Popen(command, pass_fds=(lifeline,))
