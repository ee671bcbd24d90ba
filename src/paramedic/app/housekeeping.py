"""What the daemon does beside its work: forget old samples, and cut the logs of engines that print without end."""

import asyncio
from contextlib import suppress

from paramedic.adapters.supervisors.child import ChildSupervisor
from paramedic.adapters.supervisors.launch import LOG_LIMIT
from paramedic.pipeline.barrier import Barrier
from paramedic.pipeline.world import World

LOGS_EVERY = 2.0  # seconds; an engine that prints 100 MB/s writes 200 MB meanwhile
PRUNE_EVERY = 600.0
OFTEN_NS = 600_000_000_000

_PRINTS_TOO_MUCH = "it prints more than is kept: the last {} MB of before, and what came since"


class Housekeeping:
    """Keeps the data folder small."""

    def __init__(self, world: World, supervisor: ChildSupervisor, log_limit: int = LOG_LIMIT) -> None:
        """`log_limit`: bytes of a running engine's log above which it is cut."""
        self._world = world
        self._supervisor = supervisor
        self._limit = log_limit
        self._barrier = Barrier(world.recorder, world.clock)
        self._cut_at: dict[str, int] = {}

    async def run(self) -> None:
        """Until cancelled."""
        since_pruned = 0.0
        while True:
            await asyncio.sleep(LOGS_EVERY)
            await self.cut_logs()
            since_pruned += LOGS_EVERY
            if since_pruned >= PRUNE_EVERY:
                since_pruned = 0.0
                self._world.samples.prune(self._world.clock.now())

    async def cut_logs(self) -> None:
        """Of each engine that we started; one that must be cut again and again is told of."""
        for name, target in list(self._world.view.targets.items()):
            if not target.started_by_us or target.removed:
                continue
            cut = False
            with suppress(OSError):  # a log that is just not there
                cut = await self._supervisor.rotate(target.target, self._limit)
            if not cut:
                continue
            now = self._world.clock.now()
            if now - self._cut_at.get(name, now - OFTEN_NS) < OFTEN_NS:
                self._barrier.tell(f"keep the log of {name}", _PRINTS_TOO_MUCH.format(self._limit // 2**20))
            self._cut_at[name] = now
