"""A supervisor whose engines are fake processes."""

from collections.abc import Callable, Sequence

from paramedic.model.errors import ParamedicError
from paramedic.model.target import EngineProcess, Target
from paramedic.ports import StopReport
from tests.fakes.processes import FakeProcesses


class FakeSupervisor:
    """Starts and ends engines in `processes`. `on_start(target, run, server)` lets a test make it serve.

    `start_error` is raised by the next starts while it is set; `in_the_way` is what `free_to_start` says;
    `survivors` are pids that no stop can end. `calls` lists what was asked, in order.
    """

    def __init__(self, processes: FakeProcesses | None = None) -> None:
        self.processes = processes or FakeProcesses()
        self.start_error: ParamedicError | None = None
        self.in_the_way = ""
        self.survivors: tuple[int, ...] = ()
        self.on_start: Callable[[Target, int, EngineProcess], None] | None = None
        self.calls: list[tuple[str, str]] = []
        self.graces: list[float] = []
        self.runs: list[int] = []
        self.running: dict[str, EngineProcess] = {}

    async def start(self, target: Target, run: int) -> tuple[EngineProcess, str]:
        self.calls.append(("start", target.name))
        if self.start_error is not None:
            raise self.start_error
        server = self.processes.start(url=target.url, started=1_700_000_000.0 + run)
        self.runs.append(run)
        self.running[target.name] = server
        if self.on_start is not None:
            self.on_start(target, run, server)
        return server, f"run-{run:04d}.log"

    async def stop(self, target: Target, server: EngineProcess, grace_s: float) -> StopReport:
        self.calls.append(("stop", target.name))
        self.graces.append(grace_s)
        for process in reversed(self.processes.trees.get(server.pid) or []):
            if process.pid not in self.survivors:
                self.processes.end(process.pid, signal=15 if grace_s > 0 else 9)
        self.running.pop(target.name, None)
        return StopReport(("SIGTERM" if grace_s > 0 else "SIGKILL",), self.survivors)

    async def save_stacks(self, target: Target, processes: Sequence[EngineProcess], run: int) -> str:
        self.calls.append(("save_stacks", target.name))
        return f"run-{run:04d}-stacks.txt"

    def free_to_start(self, target: Target) -> str:
        self.calls.append(("free_to_start", target.name))
        server = self.running.get(target.name)
        if not self.in_the_way and server is not None and self.processes.trees.get(server.pid):
            return f"the last run still lives (pid {server.pid})"
        return self.in_the_way

    def living_run(self, target: Target) -> tuple[EngineProcess, int, str] | None:
        server = self.running.get(target.name)
        if server is None or not self.processes.trees.get(server.pid):
            return None
        run = self.runs[-1] if self.runs else 1
        return server, run, f"run-{run:04d}.log"
