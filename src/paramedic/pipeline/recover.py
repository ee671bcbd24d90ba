"""Recovering: carry out a restart, step by step, each written down, verified by a generated token."""

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


@dataclass(frozen=True, slots=True)
class Patience:
    """Bounds of each step, in seconds."""

    stop_grace: float = 10.0  # for an engine that works
    broken_grace: float = 1.0  # for one that is dead or hung: nothing is left to drain
    free: float = 60.0  # port and GPU memory of the last run
    start: float = 1800.0  # whole start; a start that stands still ends it sooner
    token: float = 60.0


def ready_to_run(view: View, now: int) -> list[str]:
    """Actions whose time has come, one a target."""
    busy = {a.request.target for a in view.actions.values() if a.running}
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
    """Actions that an earlier Paramedic began and never ended: how they ended was not seen."""
    for name in plan.unfinished(world.view):
        started = world.view.actions[name].started_seq
        world.recorder.record(ActionFinished(name, Outcome.UNKNOWN, _NOT_SEEN), started)


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
        record = self._world.recorder.record
        self._started = record(ActionStarted(self._name), self._requested).seq
        outcome, detail = Outcome.UNKNOWN, Text("interrupted", "被中断")
        try:
            detail = await self._steps()
            outcome = Outcome.DONE
        except RestartError as failure:
            outcome, detail = Outcome.FAILED, failure.text
        except ParamedicError as failure:
            outcome, detail = Outcome.FAILED, as_written(str(failure))
        finally:
            record(ActionFinished(self._name, outcome, detail), self._started)

    @property
    def _target(self) -> TargetView:
        return self._world.view.targets[self._target_name]

    async def _steps(self) -> Text:
        began = self._world.clock.monotonic()
        target = self._target
        if target.process is not None:
            if target.state is EngineState.SILENT:
                await self._save_evidence(target, target.process)
            await self._stop(target, target.process)
        await self._wait_until_free(target)
        start = self._world.clock.monotonic()
        run = target.run + 1
        process, log = await self._world.supervisor.start(target.target, run)
        self._world.recorder.record(EngineSeen(self._target_name, run, process, True, log), self._started)
        await self._wait_until_ready(run)
        ready = self._world.clock.monotonic()
        proof = await self._verify(run)
        now = self._world.clock.monotonic()
        whole, start_up = f"{now - began:.1f}", f"{ready - start:.1f}"
        return Text(
            f"serving again after {whole} s (start to ready {start_up} s), {proof.en}",
            f"{whole} 秒后恢复服务（启动到就绪 {start_up} 秒），{proof.zh}",
        )

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
