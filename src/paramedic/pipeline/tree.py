"""The processes of one run of an engine: who lives, who has ended, and the end of any of them at once."""

import asyncio
from collections.abc import Callable

from paramedic.model.target import EngineProcess, Exit, Role
from paramedic.pipeline.barrier import Barrier
from paramedic.pipeline.world import World
from paramedic.ports import ProcessWatch

WATCHED = frozenset({Role.API_SERVER, Role.ENGINE_CORE, Role.WORKER})
SETTLE = 0.3  # seconds between the end of a process and the word of it: its log tells who stopped it


class EngineTree:
    """`ended` is called once for each process of the engine that ends."""

    def __init__(self, name: str, world: World, barrier: Barrier, ended: Callable[[Exit], None]) -> None:
        self._name = name
        self._world = world
        self._barrier = barrier
        self._tell = ended
        self._known: dict[int, EngineProcess] = {}
        self._lost: set[int] = set()
        self._watches: dict[int, tuple[ProcessWatch, asyncio.Task[None]]] = {}

    @property
    def core_lost(self) -> bool:
        """Another process than the API server has ended."""
        return any(pid in self._lost and p.role is not Role.API_SERVER for pid, p in self._known.items())

    def is_lost(self, process: EngineProcess) -> bool:
        return process.pid in self._lost

    def look(self, server: EngineProcess) -> list[EngineProcess] | None:
        """Who lives now; None: could not look. From now on the end of each is told at once."""
        tree = self._world.processes.tree(server)
        if tree is None:
            return None
        for process in (server, *(p for p in tree if p.role in WATCHED)):
            if process.pid not in self._known:
                self._known[process.pid] = process
                self._watch(process)
        alive = {process.pid for process in tree}
        for pid, process in self._known.items():
            if pid not in alive and pid not in self._watches:
                self._note_end(Exit(pid, process.role))  # where there is a watch, it knows how it ended
        return tree

    def forget(self) -> None:
        """Another run begins, or nobody looks any more."""
        for watch, task in self._watches.values():
            watch.cancel()
            task.cancel()
        self._watches.clear()
        self._known.clear()
        self._lost.clear()

    def _watch(self, process: EngineProcess) -> None:
        watch = self._world.processes.watch(process)
        if watch is not None:
            task = asyncio.get_running_loop().create_task(self._await_end(process, watch))
            self._watches[process.pid] = (watch, task)

    async def _await_end(self, process: EngineProcess, watch: ProcessWatch) -> None:
        async with self._barrier.around_task(f"watch process {process.pid} of {self._name}"):
            try:
                ended = await watch.ended()
                await self._world.clock.sleep(SETTLE)
                self._note_end(ended)
            finally:
                watch.cancel()
                if self._watches.get(process.pid, (None, None))[0] is watch:
                    del self._watches[process.pid]  # should it have failed, the looks tell the end

    def _note_end(self, ended: Exit) -> None:
        if ended.pid not in self._lost:
            self._lost.add(ended.pid)
            self._tell(ended)
