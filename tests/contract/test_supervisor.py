"""Every supervisor: an engine is started, ended whole, and never started beside what is left of it."""

import asyncio
import os
import signal
import sys
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from paramedic.adapters.processes.linux import LinuxProcesses
from paramedic.adapters.supervisors.child import ChildSupervisor
from paramedic.model.errors import ParamedicError
from paramedic.model.target import EngineProcess, Role, Target
from paramedic.ports import ProcessTable, Supervisor
from tests.fakes import FakeSupervisor
from tests.integration.pretend import end_session, free_port, until_async, write_vllm


class World(ABC):
    supervisor: Supervisor
    table: ProcessTable
    target: Target

    @abstractmethod
    def kill(self, process: EngineProcess) -> None: ...

    @abstractmethod
    def forget_how_to_start(self) -> None: ...

    async def start(self, run: int) -> EngineProcess:
        server, log = await self.supervisor.start(self.target, run)
        assert f"run-{run:04d}" in log
        await until_async(lambda: len(self.table.tree(server) or ()) == 3)
        await until_async(lambda: Role.WORKER in {one.role for one in self.table.tree(server) or ()})
        return server


class ChildWorld(World):
    def __init__(self, folder: Path) -> None:
        self.supervisor = self.child = ChildSupervisor(folder / "engines")
        self.table = LinuxProcesses(self.child.exit_of)
        self.target = Target("m", f"http://127.0.0.1:{free_port()}")
        argv = (sys.executable, str(write_vllm(folder)), "serve", "m")
        self.child.register(self.target, argv, dict(os.environ), str(folder))
        self.started: list[int] = []

    async def start(self, run: int) -> EngineProcess:
        server = await super().start(run)
        self.started.append(server.pid)
        return server

    def kill(self, process: EngineProcess) -> None:
        os.kill(process.pid, signal.SIGKILL)

    def forget_how_to_start(self) -> None:
        (self.child.folder_of(self.target) / "spec.json").unlink()

    async def clean(self) -> None:
        for pid in self.started:
            await asyncio.to_thread(end_session, pid)
            self.child.exit_of(pid)


class FakeWorld(World):
    def __init__(self) -> None:
        self.supervisor = self.fake = FakeSupervisor()
        self.table = self.fake.processes
        self.target = Target("m", "http://127.0.0.1:8000")

    def kill(self, process: EngineProcess) -> None:
        self.fake.processes.end(process.pid, signal=9)

    def forget_how_to_start(self) -> None:
        self.fake.start_error = ParamedicError("not started by Paramedic")


@pytest.fixture(params=["child", "fake"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    if request.param == "fake":
        yield FakeWorld()
        return
    world = ChildWorld(tmp_path)
    yield world
    await world.clean()


@pytest.mark.parametrize("grace", [0, 60])
async def test_a_start_and_a_stop_leave_nothing_behind(world: World, grace: float) -> None:
    assert world.supervisor.free_to_start(world.target) == ""
    server = await world.start(1)
    assert world.supervisor.free_to_start(world.target) != ""
    report = await world.supervisor.stop(world.target, server, grace)
    assert report.survivors == ()
    assert report.steps
    assert world.table.tree(server) == []
    assert world.supervisor.free_to_start(world.target) == ""
    again = await world.start(2)
    assert again.pid != server.pid
    await world.supervisor.stop(world.target, again, 0)


async def test_orphans_are_in_the_way_until_they_are_ended(world: World) -> None:
    server = await world.start(1)
    world.kill(server)
    await until_async(lambda: server.pid not in {one.pid for one in world.table.tree(server) or ()})
    assert len(world.table.tree(server) or ()) == 2
    assert world.supervisor.free_to_start(world.target) != ""
    await world.supervisor.stop(world.target, server, 0)
    assert world.table.tree(server) == []
    assert world.supervisor.free_to_start(world.target) == ""


async def test_evidence_goes_into_a_file_of_the_run(world: World) -> None:
    server = await world.start(7)
    assert "run-0007-stacks" in await world.supervisor.save_stacks(world.target, world.table.tree(server) or [], 7)
    await world.supervisor.stop(world.target, server, 0)


async def test_what_cannot_be_started_is_an_error_for_a_person(world: World) -> None:
    world.forget_how_to_start()
    with pytest.raises(ParamedicError, match="not started by Paramedic"):
        await world.supervisor.start(world.target, 1)


async def test_what_lives_of_the_newest_run_is_found(world: World) -> None:
    assert world.supervisor.living_run(world.target) is None
    server = await world.start(3)
    found = world.supervisor.living_run(world.target)
    assert found is not None
    assert (found[0].pid, found[1], "run-0003" in found[2]) == (server.pid, 3, True)
    world.kill(server)
    await until_async(lambda: server.pid not in {one.pid for one in world.table.tree(server) or ()})
    orphaned = world.supervisor.living_run(world.target)
    assert orphaned is not None
    assert (orphaned[0].pid, orphaned[1]) == (server.pid, 3)
    await world.supervisor.stop(world.target, server, 0)
    assert world.supervisor.living_run(world.target) is None
