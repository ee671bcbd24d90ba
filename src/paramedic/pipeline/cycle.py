"""The cycle: everything that Paramedic does, in the order in which it does it. Read this file first.

Three kinds of task run in one loop:

- *watching*: one `Watcher` a target looks, keeps samples, and says when a state changes;
- *judging*: this cycle's tick, pure and short: rules -> incidents -> recovery's plan -> notification's plan;
- *doing*: one task an intent: a discovery, a diagnosis, an action, a delivery. None of them blocks the tick.

Each decider gives events; the recorder appends them to the journal and folds them into the view; the next decider
reads the view. So whatever is done stands in the journal before it is done, with the event that led to it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from paramedic.diagnosis.pattern import Catalogue
from paramedic.journal.events import DaemonWasLate
from paramedic.model.target import Mode
from paramedic.model.text import Language
from paramedic.pipeline import diagnose, discover, notify, recover
from paramedic.pipeline.barrier import Barrier
from paramedic.pipeline.judge import Decision, RuleJudge, group
from paramedic.pipeline.recover import Patience
from paramedic.pipeline.scrape import Knowledge, Watcher
from paramedic.pipeline.world import World
from paramedic.ports import Notifier
from paramedic.recovery import by_hand, plan
from paramedic.recovery.guard import Policy
from paramedic.signals.evaluate import Evaluator
from paramedic.signals.liveness import Limits


@dataclass(frozen=True, slots=True)
class Settings:
    """How the cycle behaves. Seconds."""

    interval: float = 5.0
    discovery: bool = True
    found_mode: Mode = Mode.OBSERVE
    language: Language = "en"
    limits: Limits = field(default_factory=Limits)
    policy: Policy = field(default_factory=Policy)
    patience: Patience = field(default_factory=Patience)


class Cycle:
    """Runs the tasks; owns none of the facts."""

    def __init__(
        self,
        world: World,
        settings: Settings,
        judge: RuleJudge,
        evaluator: Evaluator,
        catalogue: Catalogue,
        knowledge: Knowledge,
        notifiers: dict[str, Notifier],
    ) -> None:
        self._world = world
        self._settings = settings
        self._judge = judge
        self._evaluator = evaluator
        self._catalogue = catalogue
        self._knowledge = knowledge
        self._notifiers = notifiers
        self._barrier = Barrier(world.recorder, world.clock)
        self._doing: dict[str, asyncio.Task[None]] = {}
        self._watchers: dict[str, tuple[Watcher, asyncio.Task[None]]] = {}
        self._ticked_at = world.clock.monotonic()
        self._discovered_at = self._ticked_at - settings.interval

    async def run(self) -> None:
        """Until cancelled: tick at every interval, and at once when something happened."""
        self._decide("drop restarts", lambda: by_hand.never_begun(self._world.view))
        for action in recover.interrupted(self._world):
            self._do(f"act {action}", self._restart(action).resume)
        self._ticked_at = self._world.clock.monotonic()
        try:
            while True:
                seen = self._world.view.last_seq
                self.tick()
                await self._rest(seen)
        finally:
            await self._end_tasks()

    def tick(self) -> None:
        """One judgement of everything. Takes milliseconds."""
        with self._barrier.around("look after ourselves"):
            self._look_after_ourselves()
        if self._was_late():
            return
        self._watch_targets()
        self._discover()
        self._judge.tick()
        self._decide("group alerts", lambda: group(self._world.view, self._world.clock.now()))
        for incident in diagnose.wanted(self._world.view):
            self._do(f"diagnose {incident}", self._diagnosing(incident))
        self._decide("end holds", lambda: by_hand.ended_holds(self._world.view, self._world.clock.now()))
        with self._barrier.around("drop actions"):
            recover.drop_obsolete(self._world)
        self._decide("plan recovery", self._plan_recovery)
        self._decide("plan notifications", lambda: notify.plan(self._world.view, list(self._notifiers)))
        for action in self._ready_actions():
            self._do(f"act {action}", self._restart(action).run)
        for delivery in notify.undelivered(self._world.view):
            self._do(f"deliver {delivery}", self._delivering(delivery))

    # Doing

    def _do(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Begin a piece of work, unless it is under way."""
        if name in self._doing and not self._doing[name].done():
            return

        async def inside_barrier() -> None:
            async with self._barrier.around_task(name):
                await work()

        self._doing = {n: task for n, task in self._doing.items() if not task.done()}
        self._doing[name] = asyncio.get_running_loop().create_task(inside_barrier(), name=name)

    def _discover(self) -> None:
        now = self._world.clock.monotonic()
        if self._settings.discovery and now - self._discovered_at >= self._settings.interval:
            self._discovered_at = now
            self._do("discover", lambda: discover.look(self._world, self._settings.found_mode))

    def _diagnosing(self, incident: str) -> Callable[[], Awaitable[None]]:
        return lambda: diagnose.run(incident, self._world, self._catalogue, self._evaluator)

    def _ready_actions(self) -> list[str]:
        """None where the journal cannot be written: what is done stands in it before."""
        if self._world.recorder.trouble:
            return []
        return recover.ready_to_run(self._world.view, self._world.clock.now())

    def _restart(self, action: str) -> recover.Restart:
        return recover.Restart(self._world.view.actions[action], self._world, self._settings.patience)

    def _delivering(self, delivery: str) -> Callable[[], Awaitable[None]]:
        return lambda: notify.deliver(delivery, self._world, self._notifiers, self._settings.language)

    # Deciding

    def _decide(self, work: str, decider: Callable[[], Iterable[Decision]]) -> None:
        with self._barrier.around(work):
            self._world.recorder.record_all(list(decider()))

    def _plan_recovery(self) -> list[Decision]:
        limits, policy = self._settings.limits, self._settings.policy
        return plan.plan(self._world.view, self._world.clock.now(), policy, limits.silent)

    # Watching

    def _watch_targets(self) -> None:
        for name, target in self._world.view.targets.items():
            if target.removed and name in self._watchers:
                self._watchers.pop(name)[1].cancel()
            elif not target.removed and name not in self._watchers:
                watcher = Watcher(name, self._world, self._knowledge, self._settings.interval, self._settings.limits)
                task = asyncio.get_running_loop().create_task(watcher.run(), name=f"watch {name}")
                self._watchers[name] = (watcher, task)
            elif name in self._watchers and target.run != self._watchers[name][0].watched_run:
                self._watchers[name][0].look_now()

    def expect_stop(self, target: str) -> None:
        """The engine is about to be ended on request: no crash."""
        if target in self._watchers:
            self._watchers[target][0].expect_stop()

    # Time

    def _was_late(self) -> bool:
        """Paramedic itself was stopped or starved: say so, look first, judge later."""
        now = self._world.clock.monotonic()
        late = now - self._ticked_at - self._settings.interval
        self._ticked_at = now
        if late < max(10.0, 2 * self._settings.interval):
            return False
        self._judge.unseen(late)
        with self._barrier.around("note lateness"):
            self._world.recorder.record(DaemonWasLate(round(late, 1)))
        for watcher, _ in self._watchers.values():
            watcher.look_now()
        return True

    def _look_after_ourselves(self) -> None:
        """The machine's clock, and the disk: what it refuses waits in memory, and whoever looks is told."""
        recorder = self._world.recorder
        recorder.note_clock()
        recorder.write_those_that_wait()
        if trouble := recorder.trouble:
            self._barrier.tell("journal", f"{trouble}: events wait in memory, and nothing is restarted until then")
        if trouble := self._world.samples.last_error:
            self._barrier.tell("samples", trouble)

    async def _rest(self, seen: int) -> None:
        """Until the interval is over, an action's time has come, or something new was recorded."""
        waiting = [a.request.not_before for a in self._world.view.actions.values() if not a.over and not a.running]
        due = min((t - self._world.clock.now() for t in waiting if t), default=0) / 1e9
        pause = min(self._settings.interval, due) if due > 0 else self._settings.interval
        await self._world.recorder.wait_for_entries(seen, pause)

    async def _end_tasks(self) -> None:
        tasks = [*self._doing.values(), *(task for _, task in self._watchers.values())]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
