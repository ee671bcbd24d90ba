"""Processes that a test starts and ends with a word."""

import asyncio
import itertools
from dataclasses import replace

from paramedic.model.target import EngineProcess, Exit, Role
from paramedic.ports import Candidate


class FakeWatch:
    """Ends when the test says that the process has ended."""

    def __init__(self, process: EngineProcess) -> None:
        self.process = process
        self.cancelled = False
        self.exit: Exit | None = None
        self._waiting: list[asyncio.Future[Exit]] = []

    async def ended(self) -> Exit:
        if self.exit is not None:
            return self.exit
        waiting: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        return await waiting

    def cancel(self) -> None:
        self.cancelled = True
        for waiting in self._waiting:
            waiting.cancel()

    def end(self, exit_: Exit) -> None:
        self.exit = exit_
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(exit_)


class FakeProcesses:
    """`candidates` is what `find` gives; `trees` maps an API server's pid to its processes (None: cannot look)."""

    def __init__(self) -> None:
        self.candidates: list[Candidate] = []
        self.trees: dict[int, list[EngineProcess] | None] = {}
        self.watchable = True
        self.held_by_others: set[str] = set()  # addresses at which another program listens
        self.watches: list[FakeWatch] = []
        self._pids = itertools.count(1001)
        self._exits: dict[int, Exit] = {}

    def start(self, *, url: str = "http://127.0.0.1:8000", argv: tuple[str, ...] = (), log: str = "",
              started: float = 1_700_000_000.0, found: bool = True) -> EngineProcess:  # fmt: skip
        """A whole engine: API server, EngineCore, one worker. Returns its API server."""
        server = EngineProcess(next(self._pids), started, Role.API_SERVER, "vllm", "S")
        core = EngineProcess(next(self._pids), started, Role.ENGINE_CORE, "VLLM::EngineCore", "S")
        worker = EngineProcess(next(self._pids), started, Role.WORKER, "VLLM::Worker", "S")
        self.trees[server.pid] = [server, core, worker]
        if found:
            self.candidates.append(Candidate(server, argv or ("vllm", "serve", "m"), (url,), log))
        return server

    def find(self) -> list[Candidate]:
        return list(self.candidates)

    def tree(self, server: EngineProcess) -> list[EngineProcess] | None:
        tree = self.trees.get(server.pid, [])
        return None if tree is None else list(tree)

    def orphans_of(self, pgid: int) -> list[EngineProcess]:
        tree = self.trees.get(pgid) or []
        return [] if any(process.pid == pgid for process in tree) else list(tree)

    def listens(self, server: EngineProcess, url: str) -> bool | None:
        tree = self.trees.get(server.pid, [])
        return None if tree is None else bool(tree) and url not in self.held_by_others

    def watch(self, process: EngineProcess) -> FakeWatch | None:
        if not self.watchable:
            return None
        watch = FakeWatch(process)
        if process.pid in self._exits:
            watch.end(self._exits[process.pid])
        self.watches.append(watch)
        return watch

    def end(self, pid: int, code: int | None = None, signal: int | None = None) -> None:
        """The process ends: it leaves its tree, and whoever watches it is told."""
        role = Role.OTHER
        for server, tree in self.trees.items():
            for process in tree or ():
                role = process.role if process.pid == pid else role
            self.trees[server] = None if tree is None else [one for one in tree if one.pid != pid]
        self.candidates = [one for one in self.candidates if one.process.pid != pid]
        self._exits[pid] = Exit(pid, role, code, signal)
        for watch in self.watches:
            if watch.process.pid == pid:
                watch.end(self._exits[pid])

    def end_all(self, server: EngineProcess, code: int | None = None, signal: int | None = None) -> None:
        """Every process of the engine ends, the API server last."""
        for process in reversed(self.trees.get(server.pid) or []):
            self.end(process.pid, code, signal)

    def change(self, pid: int, *, state: str | None = None, cpu_seconds: float | None = None) -> None:
        """Let a process be stopped (state T), or burn CPU."""
        for server, tree in self.trees.items():
            self.trees[server] = tree and [
                replace(one, state=state or one.state,
                        cpu_seconds=one.cpu_seconds if cpu_seconds is None else cpu_seconds)
                if one.pid == pid else one
                for one in tree
            ]  # fmt: skip
