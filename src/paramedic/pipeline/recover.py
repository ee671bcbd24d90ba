"""Recovering: carry out a restart, step by step, each written down, verified by a generated token."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass

from paramedic.journal.events import ActionFinished, ActionProgressed, ActionRejected, ActionStarted, EngineSeen
from paramedic.journal.views import ActionView, TargetView, View
from paramedic.model.action import Outcome
from paramedic.model.errors import ParamedicError
from paramedic.model.target import EngineProcess, EngineState
from paramedic.model.text import Text, as_written
from paramedic.pipeline.world import World
from paramedic.recovery import plan
from paramedic.recovery.lifecycle import Stage, stage

PARAMEDIC = "paramedic"
_NOT_SEEN = Text(
    "Paramedic ended while this ran; what is now is looked at anew", "执行中 Paramedic 退出了，现状重新检查"
)
_SPARED = Text(
    "Paramedic ended before the engine was stopped, and it gives tokens again: it is left alone",
    "Paramedic 在停止引擎之前退出，而引擎已恢复产出 token：不再动它",
)


@dataclass(frozen=True, slots=True)
class Patience:
    """Bounds of each step, in seconds."""

    stop_grace: float = 10.0  # for an engine that works
    broken_grace: float = 1.0  # for one that is dead or hung: nothing is left to drain
    free: float = 60.0  # port and GPU memory of the last run
    start: float = 1800.0  # whole start; a start that stands still ends it sooner
    token: float = 60.0
    spared: float = 5.0  # for a token of an engine whose restart was interrupted before it was stopped


def ready_to_run(view: View, now: int) -> list[str]:
    """Actions whose time has come, one a target, none on a server that a person holds."""
    busy = {a.request.target for a in view.actions.values() if a.running}
    busy |= {name for name, target in view.targets.items() if target.hold is not None}
    names = []
    for name, action in view.actions.items():
        target = action.request.target
        if stage(action) is Stage.WAITING and action.request.not_before <= now and target not in busy:
            busy.add(target)
            names.append(name)
    return names


def drop_obsolete(world: World) -> None:
    """An engine that recovered by itself, or was stopped by a person, is not restarted."""
    for name in plan.obsolete(world.view):
        state = world.view.targets[world.view.actions[name].request.target].state
        reason = Text(f"its reason has gone: the engine is {state.value}", f"原因已消失：引擎当前为 {state.value}")
        world.recorder.record(ActionRejected(name, PARAMEDIC, reason))


def close_unfinished(world: World) -> None:
    """Actions that were begun and will not be gone on with: how they ended was not seen."""
    for name in plan.unfinished(world.view):
        _close(world, name, _NOT_SEEN)


def interrupted(world: World) -> list[str]:
    """Actions that an earlier Paramedic began and that can be gone on with; the others are closed."""
    names = []
    for name in plan.unfinished(world.view):
        target = world.view.targets.get(world.view.actions[name].request.target)
        if target is not None and not target.removed and target.started_by_us:
            names.append(name)
        else:
            _close(world, name, _NOT_SEEN)
    return names


def _close(world: World, name: str, why: Text) -> None:
    world.recorder.record(ActionFinished(name, Outcome.UNKNOWN, why), world.view.actions[name].started_seq)


class Restart:
    """One restart of one target."""

    def __init__(self, action: ActionView, world: World, patience: Patience) -> None:
        self._name = action.request.action
        self._target_name = action.request.target
        self._requested = action.requested_seq
        self._world = world
        self._patience = patience
        self._started = 0

    async def run(self) -> None:
        """ActionStarted before the first effect, ActionFinished after the last, whatever happens between."""
        if self._target.hold is not None:
            return  # a person was quicker
        self._started = self._world.recorder.record(ActionStarted(self._name), self._requested).seq
        await self._to_its_end(self._steps())

    async def resume(self) -> None:
        """Go on with what an earlier Paramedic began: what it did is looked up in the world, and nothing done twice."""
        action, target = self._world.view.actions[self._name], self._target
        self._started = action.started_seq
        started_anew = action.started_at is not None and target.seen_at >= action.started_at
        if not started_anew and action.step != "stopped" and await self._gives_tokens(target):
            _close(self._world, self._name, _SPARED)
            return
        self._progress("resumed")
        await self._to_its_end(self._see_it_serve(target.run) if started_anew else self._steps())

    async def _to_its_end(self, work: Awaitable[Text]) -> None:
        outcome: Outcome | None = Outcome.UNKNOWN
        detail = Text("interrupted", "被中断")
        try:
            detail = await work
            outcome = Outcome.DONE
        except RestartError as failure:
            outcome, detail = Outcome.FAILED, failure.text
        except ParamedicError as failure:
            outcome, detail = Outcome.FAILED, as_written(str(failure))
        except asyncio.CancelledError:
            outcome = None  # Paramedic itself ends: the next one goes on from here
            raise
        finally:
            if outcome is not None:
                self._world.recorder.record(ActionFinished(self._name, outcome, detail), self._started)

    async def _gives_tokens(self, target: TargetView) -> bool:
        """The old run lives, and well: nothing was done to it, or it needs no restart any more."""
        if not self._world.lives(target):
            return False
        return (await self._world.probe.canary(target.target, self._patience.spared)).result == "token"

    @property
    def _target(self) -> TargetView:
        return self._world.view.targets[self._target_name]

    async def _steps(self) -> Text:
        target = self._target
        if target.process is not None:
            if target.state is EngineState.SILENT:
                await self._save_evidence(target, target.process)
            await self._stop(target, target.process)
        await self._wait_until_free(target)
        run = target.run + 1
        process, log = await self._world.supervisor.start(target.target, run)
        self._world.recorder.record(EngineSeen(self._target_name, run, process, True, log), self._started)
        return await self._see_it_serve(run)

    async def _see_it_serve(self, run: int) -> Text:
        await self._wait_until_ready(run)
        start_up = self._seconds_since(self._target.seen_at)
        proof = await self._verify(run)
        whole = self._seconds_since(self._world.view.actions[self._name].started_at or 0)
        return Text(
            f"serving again after {whole} s (start to ready {start_up} s), {proof.en}",
            f"{whole} 秒后恢复服务（启动到就绪 {start_up} 秒），{proof.zh}",
        )

    def _seconds_since(self, then: int) -> str:
        return f"{max(0, self._world.clock.now() - then) / 1e9:.1f}"

    def _progress(self, step: str, detail: str = "") -> None:
        self._world.recorder.record(ActionProgressed(self._name, step, detail), self._started)

    async def _save_evidence(self, target: TargetView, server: EngineProcess) -> None:
        tree = self._world.processes.tree(server) or [server]
        path = await self._world.supervisor.save_stacks(target.target, tree, target.run)
        self._progress("evidence-saved", path)

    async def _stop(self, target: TargetView, server: EngineProcess) -> None:
        broken = target.state in plan.BROKEN
        grace = self._patience.broken_grace if broken else self._patience.stop_grace
        report = await self._world.supervisor.stop(target.target, server, grace)
        if report.survivors:
            pids = ", ".join(map(str, report.survivors))
            raise RestartError(
                f"processes {pids} of the last run could not be ended; nothing was started",
                f"上一次运行的进程 {pids} 无法结束；没有启动新的",
            )
        self._progress("stopped", "; ".join(report.steps))

    async def _wait_until_free(self, target: TargetView) -> None:
        deadline = self._world.clock.monotonic() + self._patience.free
        while in_the_way := self._world.supervisor.free_to_start(target.target):
            if self._world.clock.monotonic() > deadline:
                raise RestartError(f"not free to start: {in_the_way}", f"无法启动：{in_the_way}")
            await self._world.clock.sleep(0.2)

    async def _wait_until_ready(self, run: int) -> None:
        """The watcher sees the start; here we only wait for what it says."""
        deadline = self._world.clock.monotonic() + self._patience.start
        while True:
            target = self._target
            if target.run == run and target.state is EngineState.SERVING:
                return
            _check_start(target, run)
            left = deadline - self._world.clock.monotonic()
            if left <= 0:
                limit, reached = f"{self._patience.start:.0f}", target.stage or "?"
                raise RestartError(
                    f"not ready after {limit} s, at stage {reached}", f"{limit} 秒后仍未就绪，停在阶段 {reached}"
                )
            await self._world.recorder.wait_for_entries(self._world.view.last_seq, min(left, 1.0))

    async def _verify(self, run: int) -> Text:
        """How the new run was proven to work."""
        deadline = self._world.clock.monotonic() + self._patience.token
        while True:
            left = deadline - self._world.clock.monotonic()
            canary = await self._world.probe.canary(self._target.target, max(left, 1.0))
            if canary.result == "token":
                return Text("verified by a token", "已用 token 验证")
            if canary.result in ("paused", "unauthorised", "busy"):
                self._progress("not-verified", f"the canary was answered with {canary.result}")
                return Text(
                    f"not verified: the request for one token was answered with {canary.result}",
                    f"未验证：单 token 请求的应答是 {canary.result}",
                )
            _check_start(self._target, run)
            if self._world.clock.monotonic() >= deadline:
                came = f"{canary.result} {canary.detail}".strip()
                raise RestartError(f"it answers, but no token came: {came}", f"有应答，但没有 token：{came}")
            await self._world.clock.sleep(0.5)


_START_ENDED = frozenset(
    {EngineState.DEAD, EngineState.DOWN, EngineState.START_FAILED, EngineState.START_STALLED, EngineState.STOPPED}
)


def _check_start(target: TargetView, run: int) -> None:
    if target.run == run and target.state in _START_ENDED:
        state, reason = target.state.value, target.state_reason
        raise RestartError(f"the start ended as {state}: {reason.en}", f"启动以 {state} 结束：{reason.zh}")


class RestartError(Exception):
    """A step of a restart did not come to its end."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.text = Text(en, zh)
