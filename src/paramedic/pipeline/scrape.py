"""Watching one target: look, keep the samples, and say when what we know of it changes."""

import asyncio
from dataclasses import dataclass, replace

from paramedic.diagnosis.stage import StageReader, Stages
from paramedic.journal.events import ProcessEnded, StageReached, StateChanged
from paramedic.journal.views import TargetView
from paramedic.model.sample import LabelSet, Scrape, label_set
from paramedic.model.target import EngineProcess, EngineState, Exit, Role
from paramedic.pipeline.answers import answer_of, left_out, what_answered, why_no_figures
from paramedic.pipeline.barrier import Barrier
from paramedic.pipeline.figures import FigureReader
from paramedic.pipeline.tree import EngineTree
from paramedic.pipeline.world import World, first_of
from paramedic.ports import LogSource, Reply
from paramedic.signals import liveness
from paramedic.signals.exposition import Parser
from paramedic.signals.liveness import Answer, Figures, Limits, Liveness, Look
from paramedic.signals.vocabulary import Vocabulary

STARTING_INTERVAL = 0.5
LATE = 3.0  # intervals without a look after which we say that we did not see

_NEVER_READY = frozenset(
    {
        EngineState.UNKNOWN,
        EngineState.OUT_OF_REACH,
        EngineState.STARTING,
        EngineState.START_FAILED,
        EngineState.START_STALLED,
    }
)
_CORE = frozenset({Role.ENGINE_CORE, Role.WORKER})  # of a run that was taken over, its end may be known already


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What a watcher needs to know of the engine family."""

    stages: Stages
    vocabulary: Vocabulary


class Watcher:
    """One target's task. A slow target delays nobody but itself."""

    def __init__(self, name: str, world: World, knowledge: Knowledge, interval: float, limits: Limits) -> None:
        self.name = name
        self._world = world
        self._knowledge = knowledge
        self._interval = interval
        self._limits = limits
        self._wake = asyncio.Event()
        self._ended = asyncio.Event()  # a process of this run
        self._barrier = Barrier(world.recorder, world.clock)
        self._run = -1
        self._url = ""  # of this run; a way to an engine that was out of reach may be found later
        self._liveness = liveness.begin(world.clock.monotonic())
        self._log: LogSource | None = None
        self._log_lines = 0
        self._scrapes = 0  # of this run
        self._fresh = False  # the last one was answered
        self._just_ready = False
        self._stage = ""
        self._stopping = False
        self._tree = EngineTree(name, world, self._barrier, self._note_end)
        self._canary: asyncio.Task[None] | None = None
        self._parser: Parser | None = None
        self._figures = FigureReader(knowledge.vocabulary)
        self._stages = StageReader(knowledge.stages)

    @property
    def target(self) -> TargetView:
        return self._world.view.targets[self.name]

    @property
    def watched_run(self) -> int:
        return self._run

    def look_now(self) -> None:
        """Do not wait for the interval."""
        self._wake.set()

    def expect_stop(self) -> None:
        """We are about to end this run ourselves: its end is no crash."""
        self._stopping = True

    async def run(self) -> None:
        """Look until cancelled."""
        try:
            while True:
                async with self._barrier.around_task(f"watch {self.name}"):
                    await self.look()
                await self._rest()
        finally:
            self._tree.forget()
            if self._log is not None:
                self._log.close()
            if self._canary:
                self._canary.cancel()

    async def look(self) -> None:
        """One look at everything: log, processes, HTTP; then the judgement."""
        target = self.target
        if target.run != self._run or target.target.url != self._url:
            self._begin_run(target)
        self._read_log()
        tree = self._tree.look(target.process) if target.process else None
        metrics, health = await self._ask_while_it_lives(target)
        if self.target.run != self._run:
            return  # another run has begun meanwhile: these answers are not its
        self._skip_unseen()
        figures = self._keep(metrics)
        self._judge(tree, health, metrics, figures)
        self._keep_probe_samples()
        self._send_canary()

    def _skip_unseen(self) -> None:
        """Asked after the answers: Paramedic may have been stopped while it waited for them."""
        unseen = self._world.clock.monotonic() - self._liveness.looked_at
        if unseen > LATE * self._interval + 10.0:
            self._liveness = liveness.skip(self._liveness, unseen)

    # Runs, log and processes

    def _begin_run(self, target: TargetView) -> None:
        self._tree.forget()
        self._ended.clear()
        at = self._world.clock.monotonic()
        taken_over = self._run == -1 and target.state not in (EngineState.UNKNOWN, EngineState.STARTING)
        self._liveness = liveness.begin(at, ready=taken_over and target.state not in _NEVER_READY)
        if taken_over and target.state is EngineState.SILENT:
            self._liveness = replace(self._liveness, canary_failures=1)  # until a token moves it stays silent
        if target.process is None or taken_over:
            self._liveness = replace(self._liveness, state=target.state)
        self._run, self._stage, self._stopping = target.run, target.stage, False
        self._url = target.target.url
        self._log_lines = self._scrapes = 0
        path = target.log or target.target.log
        if self._log is not None:
            self._log.close()
        self._log = self._world.open_log(path) if path else None
        self._parser = Parser({"target": self.name, "instance": target.target.instance, "job": target.target.engine})

    def _read_log(self) -> None:
        if self._log is None:
            return
        chunk = self._log.new_lines()
        self._log_lines += len(chunk.lines)
        for stage in self._stages.opened(chunk.lines):
            if stage == "stopping":
                self._stopping = True
            elif stage != self._stage and not self._liveness.ready:
                self._stage = stage
                self._world.recorder.record(StageReached(self.name, self._run, stage))

    def _note_end(self, ended: Exit) -> None:
        self._world.recorder.record(ProcessEnded(self.name, self._run, ended))
        self._ended.set()
        self._wake.set()

    # HTTP and samples

    async def _ask_while_it_lives(self, target: TargetView) -> tuple[Reply, Reply]:
        """What a dead engine leaves unanswered is not waited for: its sockets may live on in an orphan."""
        if self._ended.is_set():
            return Reply(error="refused"), Reply(error="refused")
        asking = asyncio.create_task(self._ask(target))
        try:
            await first_of(asyncio.wait({asking}), self._ended.wait())
            if asking.done() and not self._ended.is_set():
                return asking.result()
        finally:
            asking.cancel()
        return Reply(error="refused"), Reply(error="refused")

    async def _ask(self, target: TargetView) -> tuple[Reply, Reply]:
        self._just_ready = False
        if not target.target.url:
            return Reply(error="unreachable"), Reply(error="unreachable")
        if self._liveness.ready or target.process is None:
            metrics, health = await asyncio.gather(
                self._world.probe.metrics(target.target), self._world.probe.health(target.target)
            )
            return metrics, health
        health = await self._world.probe.health(target.target)
        if health.ok and self._is_stranger(target):
            health = Reply(error="refused")  # another program holds the port: our engine is not ready
        self._just_ready = health.ok
        return replace(health, status=None, error=health.error or "not asked"), health  # it must not wait for figures

    def _is_stranger(self, target: TargetView) -> bool:
        if not target.started_by_us or target.process is None:
            return False
        return self._world.processes.listens(target.process, target.target.url) is False

    def _keep(self, metrics: Reply) -> Figures | None:
        """A scrape that failed ends the series, as in Prometheus: the last figures are not those of now.

        One that timed out does not: an overloaded server answers late now and then, and its queue is still there.
        """
        if metrics.error == "timeout":
            return None
        if answer_of(metrics) is not Answer.OK:
            if self._fresh:
                self._world.samples.append(Scrape(f"engine:{self.name}", self._world.clock.now(), (), ()))
            self._fresh = False
            return None
        if self._parser is None:
            return None
        page = self._parser.parse(metrics.body)
        if trouble := left_out(page):
            self._barrier.tell(f"read the figures of {self.name}", trouble)
        self._fresh = True
        self._scrapes += 1
        self._world.samples.append(Scrape(f"engine:{self.name}", self._world.clock.now(), page.series, page.values))
        return self._figures.read(page.series, page.values)

    def _keep_probe_samples(self) -> None:
        target, now = self.target, self._liveness
        common = {
            "target": self.name,
            "instance": target.target.instance,
            "job": target.target.engine,
            "model_name": target.target.model,
        }
        rows: list[tuple[LabelSet, float]] = [
            (label_set("paramedic_target_state", common, state=state.value), float(state is now.state))
            for state in EngineState
        ]
        rows.append((label_set("paramedic_engine_starts_total", common), float(target.run - target.runs_by_hand)))
        at = self._world.clock.monotonic()
        if now.working:
            rows.append((label_set("paramedic_engine_progress_age_seconds", common), at - now.progress_at))
        if now.state in (EngineState.STARTING, EngineState.START_STALLED):
            age = (self._world.clock.now() - target.stage_since) / 1e9
            rows.append((label_set("paramedic_start_stage_age_seconds", common), age))
        series, values = zip(*rows, strict=True)
        self._world.samples.append(Scrape(f"probe:{self.name}", self._world.clock.now(), series, values))

    # Judgement

    def _judge(self, tree: list[EngineProcess] | None, health: Reply, metrics: Reply, figures: Figures | None) -> None:
        server = self.target.process
        api = next((p for p in tree if server and p.pid == server.pid), None) if tree is not None else None
        look = Look(
            at=self._world.clock.monotonic(),
            health=answer_of(health, dead_on_503=True),
            metrics=answer_of(metrics),
            figures=figures,
            reachable=bool(self.target.target.url),
            server_alive=None if tree is None or server is None else not self._tree.is_lost(server),
            core_lost=self._tree.core_lost or any(one.role in _CORE for one in self.target.exits),
            cpu_seconds=None if tree is None else sum(p.cpu_seconds for p in tree),
            server_cpu_seconds=api.cpu_seconds if api else None,
            log_lines=self._log_lines,
            stage=self._stage,
            stopping=self._stopping,
            health_said=what_answered(health, "/health"),
            metrics_said=why_no_figures(metrics, figures),
        )
        self._liveness = liveness.judge(self._liveness, look, self._limits)
        if self._liveness.state is not self.target.state and not self._is_being_ended():
            self._say(self._liveness)

    def _is_being_ended(self) -> bool:
        """An action of ours is about to end this run: what we see of its end is our own doing."""
        action = self._world.view.running_action(self.name)
        return action is not None and action.started_at is not None and self.target.seen_at < action.started_at

    def _say(self, now: Liveness) -> None:
        before, because = self.target.state, self.target.state_seq or None
        self._world.recorder.record(StateChanged(self.name, self._run, before, now.state, now.reason), because)

    def _send_canary(self) -> None:
        if self._canary is not None and not self._canary.done():
            return
        at = self._world.clock.monotonic()
        patience = liveness.canary_due(self._liveness, at, self._limits)
        if patience is not None:
            self._liveness = liveness.canary_sent(self._liveness, at)
            self._canary = asyncio.get_running_loop().create_task(self._ask_for_token(patience))

    async def _ask_for_token(self, patience: float) -> None:
        async with self._barrier.around_task(f"canary {self.name}"):
            run, sent_at = self._run, self._world.clock.monotonic()
            canary = await self._world.probe.canary(self.target.target, patience)
            if run != self._run:
                return
            late = self._world.clock.monotonic() - sent_at > patience + 10.0  # it was Paramedic that stood still
            self._liveness = liveness.canary_answered(
                self._liveness,
                self._world.clock.monotonic(),
                token=canary.result == "token",
                proves_nothing=canary.result in ("paused", "unauthorised", "busy", "refused") or late,
            )
            self._wake.set()

    async def _rest(self) -> None:
        if self._liveness.state is EngineState.STARTING:
            pause = STARTING_INTERVAL
        else:
            pause = 1.0 if liveness.look_again_soon(self._liveness) else self._interval
        if self._scrapes == 1:
            pause = min(pause, 0.4)  # two scrapes make the first rate: a person waits for it
        elif self._just_ready:
            pause = 0.1
        await first_of(self._world.clock.sleep(pause), self._woken())
        self._wake.clear()

    async def _woken(self) -> None:
        await self._wake.wait()
