"""Every process table: servers are found, their trees known, their ends told, whoever started them."""

import asyncio
import os
import signal
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from paramedic.adapters.processes.linux import LinuxProcesses
from paramedic.model.target import EngineProcess, Role
from paramedic.ports import Candidate, ProcessTable
from tests.fakes import FakeProcesses
from tests.integration.pretend import session, until, write_vllm


class World(ABC):
    table: ProcessTable
    server_pid: int

    @abstractmethod
    def kill(self, process: EngineProcess) -> None: ...

    def candidate(self) -> Candidate:
        return until(lambda: next((one for one in self.table.find() if one.process.pid == self.server_pid), None))

    def whole_tree(self) -> list[EngineProcess]:
        server = self.candidate().process
        roles = {Role.API_SERVER, Role.ENGINE_CORE, Role.WORKER}
        until(lambda: roles <= {one.role for one in self.table.tree(server) or ()})
        return self.table.tree(server) or []


class LinuxWorld(World):
    def __init__(self, pid: int) -> None:
        self.table = LinuxProcesses()
        self.server_pid = pid

    def kill(self, process: EngineProcess) -> None:
        os.kill(process.pid, signal.SIGKILL)


class FakeWorld(World):
    def __init__(self) -> None:
        self.table = self.fake = FakeProcesses()
        self.server_pid = self.fake.start(argv=("vllm", "serve", "m")).pid

    def kill(self, process: EngineProcess) -> None:
        self.fake.end(process.pid, signal=9)


@pytest.fixture(params=["linux", "fake"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    if request.param == "fake":
        yield FakeWorld()
        return
    with session(sys.executable, str(write_vllm(tmp_path)), "serve", "m") as child:
        yield LinuxWorld(child.pid)


def test_a_server_is_found_with_its_arguments_and_its_place(world: World) -> None:
    found = world.candidate()
    assert found.process.role is Role.API_SERVER
    assert "serve" in found.argv
    assert found.urls[0].startswith("http://127.0.0.1:")


def test_where_nothing_of_an_engine_is_left_nothing_is_said_of_its_port(world: World) -> None:
    found = world.candidate()
    assert world.table.listens(replace(found.process, started=1.0, pid=2**22 + 1), found.urls[0]) in (None, False)


def test_the_server_is_the_first_of_its_tree(world: World) -> None:
    tree = world.whole_tree()
    assert tree[0].pid == world.server_pid
    assert len({one.pid for one in tree}) == len(tree) == 3
    assert all(one.state in "RSD" and one.started > 0 for one in tree)


async def test_the_end_of_each_process_is_told_and_seen_in_the_tree(world: World) -> None:
    server, core, worker = await asyncio.to_thread(world.whole_tree)
    watches = {one.pid: world.table.watch(one) for one in (server, core, worker)}
    assert None not in watches.values()
    waiting = {pid: asyncio.create_task(watch.ended()) for pid, watch in watches.items() if watch}
    await asyncio.sleep(0)
    world.kill(worker)
    async with asyncio.timeout(60):
        exit_ = await waiting[worker.pid]
    assert (exit_.pid, exit_.role) == (worker.pid, Role.WORKER)
    assert not waiting[server.pid].done()
    assert worker.pid not in {one.pid for one in world.table.tree(server) or ()}
    world.kill(server)
    async with asyncio.timeout(60):
        assert (await waiting[server.pid]).role is Role.API_SERVER
    assert [one.pid for one in world.table.tree(server) or ()] == [core.pid]  # it outlives its server
    assert world.server_pid not in {one.process.pid for one in world.table.find()}
    for watch in watches.values():
        assert watch
        watch.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting[core.pid]


async def test_who_has_ended_before_the_watch_began_is_told_at_once(world: World) -> None:
    server, _core, worker = await asyncio.to_thread(world.whole_tree)
    world.kill(worker)
    await asyncio.to_thread(until, lambda: worker.pid not in {one.pid for one in world.table.tree(server) or ()})
    watch = world.table.watch(worker)
    assert watch
    async with asyncio.timeout(60):
        assert (await watch.ended()).pid == worker.pid
    watch.cancel()
