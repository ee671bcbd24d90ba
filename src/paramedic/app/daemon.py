"""The daemon of one data folder: begins, watches, and ends in good order."""

import asyncio
import os
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import TypeVar

from paramedic import __version__
from paramedic.adapters.processes.priority import first_in_line
from paramedic.adapters.processes.recognise import serve_arguments, urls_of
from paramedic.adapters.supervisors.port import what_holds_port
from paramedic.app.config import Config
from paramedic.app.folder import DataFolder
from paramedic.app.housekeeping import Housekeeping
from paramedic.app.recorder_watch import FlightRecorder
from paramedic.app.wiring import Parts
from paramedic.journal.codec import Entry
from paramedic.journal.events import (
    ActionApproved,
    ActionRejected,
    ActionRequested,
    DaemonStarted,
    DaemonStopped,
    EngineSeen,
    Event,
    StateChanged,
    TargetAdded,
    TargetHeld,
    TargetRemoved,
    TargetResumed,
)
from paramedic.journal.views import TargetView
from paramedic.model.errors import ParamedicError, UsageError
from paramedic.model.target import EngineState, Origin, Target
from paramedic.model.text import Text, as_written
from paramedic.pipeline import discover, recover
from paramedic.pipeline.board import Board
from paramedic.pipeline.reach import served_model
from paramedic.pipeline.take_over import take_over, write_down_run
from paramedic.recovery import by_hand

Decided = TypeVar("Decided", bound=Event)


class Daemon:
    """Begins with `begin`, runs in the background, ends with `end`. Answers the console meanwhile.

    `stop_asked` is set by whoever wants it to end.
    """

    def __init__(self, folder: DataFolder, config: Config, parts: Parts, stop_asked: asyncio.Event) -> None:
        self._folder = folder
        self._config = config
        self._parts = parts
        self._world = parts.world
        self._tasks: list[asyncio.Task[None]] = []
        self._late = 0.0
        self._while_it_runs = ExitStack()
        self.stop_asked = stop_asked
        self.stopped_by = ""
        self.first_seq = 0  # the journal's last entry of before

    # Begin and end

    async def begin(self) -> None:
        """Say that we are there, and look at what an earlier daemon left."""
        self._while_it_runs.enter_context(first_in_line())
        self.first_seq = self._world.view.last_seq
        self._world.recorder.record(DaemonStarted(__version__, os.getpid()))
        take_over(self._world, {t.url for t in self._config.targets})
        self._add_configured()

    def run(self) -> None:
        """Start the cycle, the housekeeping and the flight recorder in the background."""
        loop = asyncio.get_running_loop()
        self._tasks = [
            loop.create_task(self._parts.cycle.run(), name="cycle"),
            loop.create_task(Housekeeping(self._world, self._parts.supervisor).run(), name="housekeeping"),
            loop.create_task(
                FlightRecorder(self._folder, self._world, self._parts.supervisor).run(), name="flight recorder"
            ),
        ]

    async def failed(self) -> None:
        """Returns when a task of ours has ended by itself: that is a defect, and it is raised."""
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    async def end(
        self, reason: str, *, stop_engines: bool, grace: float, last_look: Callable[[], None] = lambda: None
    ) -> None:
        """Stop judging, then (where asked) the engines that we started; let go of the data folder.

        `last_look` is called when all is written and the journal is still open.
        """
        started = [t for t in self._world.view.targets.values() if t.started_by_us and not t.removed]
        for target in started:
            if stop_engines:
                self._parts.cycle.expect_stop(target.target.name)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        left = []
        if stop_engines:
            recover.close_unfinished(self._world)  # else the next daemon goes on with them
            await asyncio.gather(*(self._stop_engine(target.target.name, grace) for target in started))
        else:
            left = [t.target.name for t in started if t.state is not EngineState.STOPPED]
        self._world.recorder.record(DaemonStopped(reason, tuple(left)))
        last_look()
        await self._parts.probe.close()
        self._parts.samples.close()
        self._parts.journal.close()
        self._folder.let_go()
        self._while_it_runs.close()

    async def _stop_engine(self, name: str, grace: float) -> None:
        record = self._world.recorder.record
        write_down_run(self._world, self._world.view.targets[name])  # a restart may just have started it
        target = self._world.view.targets[name]
        if target.process is not None:
            report = await self._world.supervisor.stop(target.target, target.process, grace)
            steps = "; ".join(report.steps)
            reason = Text(f"ended with Paramedic: {steps}", f"随 Paramedic 一起结束：{steps}")
            record(StateChanged(name, target.run, target.state, EngineState.STOPPED, reason))
        record(TargetRemoved(name, Text("ended with Paramedic", "随 Paramedic 一起结束")))

    # Targets

    def _add_configured(self) -> None:
        for one in self._config.targets:
            name = one.name or f"{one.model or 'engine'}@{one.url.split('://', 1)[-1]}"
            target = Target(
                name,
                one.url,
                Origin.CONFIGURED,
                one.mode or self._config.modes.found,
                model=one.model or "",
                log=one.log or "",
            )
            known = self._world.view.targets.get(name)
            if known is None or known.removed or known.target != target:
                self._world.recorder.record(TargetAdded(target))

    async def supervise(
        self, argv: Sequence[str], env: Mapping[str, str], cwd: str, url: str = "", name: str = ""
    ) -> Target:
        """Start an engine and own its recovery; one that an earlier Paramedic started just so is taken over."""
        url = url or url_of_command(argv)
        arguments = serve_arguments(argv) or tuple(argv)
        model = served_model(("serve", *arguments))
        name = name or f"{model.rstrip('/').rsplit('/', 1)[-1] or 'engine'}@{url.split('://', 1)[-1]}"
        target = Target(name, url, Origin.STARTED, self._config.modes.started, model=model)
        known = self._world.view.targets.get(name)
        held = False
        if known is not None and not known.removed and known.started_by_us:
            if self._is_at_it_already(known, argv):
                return known.target
            held = known.hold is not None
            if not held:
                await self._end_what_is_left(known)
        self._parts.supervisor.register(target, argv, env, cwd)
        added = self._world.recorder.record(TargetAdded(target))
        if held:
            return target  # nothing is done to it, not even this: `resume` first
        run = (known.run if known else 0) + 1
        try:
            process, log = await self._parts.supervisor.start(target, run)
        except ParamedicError as error:
            self._world.recorder.record(TargetRemoved(name, as_written(str(error))), added.seq)
            raise
        self._world.recorder.record(EngineSeen(name, run, process, True, log), added.seq)
        return target

    def _is_at_it_already(self, known: TargetView, argv: Sequence[str]) -> bool:
        """It runs, or its restart was begun by an earlier daemon and is gone on with."""
        name = known.target.name
        at_it = self._world.lives(known) or self._world.view.running_action(name) is not None
        if at_it and list(self._parts.supervisor.spec(known.target).argv) != list(argv):
            raise UsageError(f"{name} runs already, started with other arguments; stop it first: paramedic stop")
        return at_it

    async def _end_what_is_left(self, known: TargetView) -> None:
        """Orphans of a server that is gone hold its GPU memory."""
        if known.process is not None and self._world.supervisor.living_run(known.target) is not None:
            await self._world.supervisor.stop(known.target, known.process, 0.0)

    async def discover_now(self) -> bool:
        """Look for engines at once; whether there is any target now."""
        if self._config.discovery:
            await discover.look(self._world, self._config.modes.found)
        return any(not t.removed for t in self._world.view.targets.values())

    # What the console asks

    def board(self) -> Board:
        return self._parts.board.board(self._world.view, self._world.clock.now(), self._late)

    def entries(self, after: int) -> list[Entry]:
        return self._world.recorder.entries(after)

    async def wait_for_entries(self, after: int, timeout: float) -> list[Entry]:
        return await self._world.recorder.wait_for_entries(after, timeout)

    def approve(self, action: str, by: str) -> ActionApproved:
        return self._record(by_hand.approve(self._world.view, action, by))

    def reject(self, action: str, by: str, reason: str) -> ActionRejected:
        return self._record(by_hand.reject(self._world.view, action, by, reason))

    def hold(self, target: str, by: str, seconds: float | None, reason: str) -> TargetHeld:
        now = self._world.clock.now()
        return self._record(by_hand.hold(self._world.view, target, by, seconds, reason, now))

    def resume(self, target: str, by: str, reason: str) -> TargetResumed:
        return self._record(by_hand.resume(self._world.view, target, by, reason))

    def restart(self, target: str, by: str, reason: str) -> ActionRequested:
        ended, request = by_hand.restart(self._world.view, target, by, reason)
        self._world.recorder.record_all([*ended, request])
        return request[0]

    def stop(self, by: str) -> None:
        self.stopped_by = by
        self.stop_asked.set()

    def _record(self, decision: tuple[Decided, int]) -> Decided:
        self._world.recorder.record(*decision)
        return decision[0]


def url_of_command(argv: Sequence[str]) -> str:
    """Where an engine with this command will answer. Raises UsageError when the command does not tell."""
    arguments = serve_arguments(argv)
    urls = urls_of(arguments, ()) if arguments is not None else ()
    if not urls:
        command = " ".join(argv[:3])
        raise UsageError(
            f"{command}: this command does not tell where its engine will answer. Say it: --target http://127.0.0.1:PORT"
        )
    return urls[0]


def practice_command(folder: DataFolder, python: str, *, own_ports: bool) -> tuple[list[str], str]:
    """The command of a practice engine on a free port from 8210, and where it will answer.

    With `own_ports` it is looked for in a place that depends on the data folder: two watches that begin at the same
    moment must not choose the same one.
    """
    first = 8211 + zlib.crc32(bytes(folder.path)) % 2000 if own_ports else 8210
    port = next(port for port in range(first, 65535) if not what_holds_port(f"http://127.0.0.1:{port}"))
    command = [python, "-m", "paramedic", "practice", "serve", "--port", str(port), "--data-dir", str(folder.path)]
    return command, f"http://127.0.0.1:{port}"
