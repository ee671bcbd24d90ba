import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from pathlib import Path

import psutil
import pytest

from paramedic.adapters.processes.linux import LinuxProcesses
from paramedic.model.target import EngineProcess, Role
from paramedic.ports import Candidate
from tests.integration.pretend import (
    free_port,
    in_session,
    servers_in,
    session,
    stop_process,
    until,
    until_async,
    write_vllm,
)


@pytest.fixture
def vllm(tmp_path: Path) -> Path:
    return write_vllm(tmp_path)


def candidate(table: LinuxProcesses, pid: int) -> Candidate | None:
    return next((one for one in table.find() if one.process.pid == pid), None)


def whole_tree(table: LinuxProcesses, server: EngineProcess) -> list[EngineProcess]:
    def look() -> list[EngineProcess] | None:
        tree = table.tree(server) or []
        return tree if {Role.ENGINE_CORE, Role.WORKER} <= {one.role for one in tree} else None

    return until(look)


def test_a_server_is_found_before_it_listens_and_where_it_listens(vllm: Path, tmp_path: Path) -> None:
    table = LinuxProcesses()
    (tmp_path / "hold").touch()
    log = tmp_path / "server.log"
    port = free_port()
    with (
        log.open("wb") as out,
        session(sys.executable, str(vllm), "serve", "/models/m", "--port", str(port), stdout=out) as child,
    ):
        found = until(lambda: candidate(table, child.pid))
        assert found.urls == (f"http://127.0.0.1:{port}",)
        assert found.log == str(log)
        assert found.argv[2:] == ("serve", "/models/m", "--port", str(port))
        assert found.process.role is Role.API_SERVER
        assert found.process.started == pytest.approx(psutil.Process(child.pid).create_time(), abs=2)
        (tmp_path / "hold").unlink()
        until(lambda: b"listening" in log.read_bytes())
        assert until(lambda: candidate(table, child.pid)).urls == (f"http://127.0.0.1:{port}",)
    assert candidate(table, child.pid) is None


def test_another_server_at_our_port_is_not_ours(vllm: Path, tmp_path: Path) -> None:
    table = LinuxProcesses()
    (tmp_path / "hold").touch()
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = (sys.executable, str(vllm), "serve", "m", "--port", str(port))
    with session(*command) as child, socket.socket() as other:
        server = until(lambda: candidate(table, child.pid)).process
        whole_tree(table, server)
        assert table.listens(server, url) is False
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        assert table.listens(server, url) is False
        other.close()
        (tmp_path / "hold").unlink()
        until(lambda: table.listens(server, url))
        assert table.listens(server, f"http://127.0.0.1:{free_port()}") is False
    until(lambda: table.tree(server) == [])
    assert table.listens(server, url) is False  # nothing of it lives, so it listens nowhere


def test_the_port_of_a_server_that_names_none_is_where_it_really_listens(vllm: Path, tmp_path: Path) -> None:
    script = tmp_path / "titled.py"
    script.write_text(
        "import setproctitle, socket, sys, time\n"
        "s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(5)\n"
        "setproctitle.setproctitle('/usr/bin/python3 /opt/bin/vllm serve m --config c.yaml')\n"
        "print(s.getsockname()[1], flush=True); sys.stdin.read()\n"
    )
    table = LinuxProcesses()
    with session(sys.executable, str(script), stdin=-1, stdout=-1) as child:
        assert child.stdout is not None
        assert child.stdin is not None
        port = int(child.stdout.readline())
        found = until(lambda: candidate(table, child.pid))
        assert found.urls[0] == f"http://127.0.0.1:{port}"
        assert found.argv[:3] == ("/usr/bin/python3", "/opt/bin/vllm", "serve")
        child.stdin.close()
        child.stdout.close()


def test_a_shell_that_merely_runs_or_names_a_server_is_none(vllm: Path) -> None:
    table = LinuxProcesses()
    with session("/bin/sh", "-c", f"{sys.executable} {vllm} serve m; true") as shell:
        [server] = until(lambda: servers_in(shell.pid, table))
        assert server.process.pid != shell.pid
        assert [one.process.pid for one in servers_in(shell.pid, table)] == [server.process.pid]


def test_a_program_that_becomes_a_server_later_is_found(vllm: Path, tmp_path: Path) -> None:
    table = LinuxProcesses()
    go = tmp_path / "go"
    with session(
        "/bin/sh", "-c", f"until [ -e {go} ]; do sleep 0.05; done; exec {sys.executable} {vllm} serve m"
    ) as child:
        assert candidate(table, child.pid) is None
        go.touch()
        assert until(lambda: candidate(table, child.pid)).argv[2] == "serve"


def test_the_tree_has_roles_states_and_cpu_time(vllm: Path) -> None:
    table = LinuxProcesses()
    with session(sys.executable, str(vllm), "serve", "m", "--api-key", "sk-secret") as child:
        server = until(lambda: candidate(table, child.pid)).process
        tree = whole_tree(table, server)
        assert tree[0].pid == child.pid
        assert [one.role for one in tree].count(Role.API_SERVER) == 1
        core = next(one for one in tree if one.role is Role.ENGINE_CORE)
        assert core.title == "VLLM::EngineCore"
        assert core.cpu_seconds > 0
        assert "sk-secret" not in repr(tree)
        stop_process(core.pid)
        assert next(one for one in table.tree(server) or () if one.pid == core.pid).state == "T"


def test_what_outlives_a_killed_server_is_still_its_tree(vllm: Path) -> None:
    table = LinuxProcesses()
    with session(sys.executable, str(vllm), "serve", "m") as child:
        server = until(lambda: candidate(table, child.pid)).process
        whole_tree(table, server)
        assert table.orphans_of(child.pid) == []
        child.kill()
        child.wait()
        left = table.tree(server)
        assert left is not None
        assert {one.role for one in left} == {Role.ENGINE_CORE, Role.WORKER}
        assert {one.pid for one in left} == {one.pid for one in table.orphans_of(child.pid)}
        assert {one.pid for one in left} == {one.pid for one in in_session(child.pid)}
    until(lambda: table.tree(server) == [])


def test_two_servers_of_one_script_are_two_trees(vllm: Path) -> None:
    table = LinuxProcesses()
    command = f"{sys.executable} {vllm} serve a & {sys.executable} {vllm} serve b & wait"
    with session("/bin/sh", "-c", command) as shell:

        def both() -> list[Candidate] | None:
            found = servers_in(shell.pid, table)
            return found if len(found) == 2 else None

        a, b = until(both)
        tree_a, tree_b = whole_tree(table, a.process), whole_tree(table, b.process)
        assert not {one.pid for one in tree_a} & {one.pid for one in tree_b}
        os.kill(a.process.pid, signal.SIGKILL)
        until(lambda: candidate(table, a.process.pid) is None)
        left = until(
            lambda: (tree := table.tree(a.process)) and a.process.pid not in {one.pid for one in tree} and tree
        )
        assert {one.pid for one in left} == {one.pid for one in tree_a} - {a.process.pid}


def test_a_server_whose_pid_has_a_new_owner_has_no_tree() -> None:
    with session("/bin/sleep", "600") as child:
        earlier = EngineProcess(child.pid, psutil.Process(child.pid).create_time() - 3600, Role.API_SERVER)
        assert LinuxProcesses().tree(earlier) == []


async def test_the_end_of_any_process_is_told_at_once(vllm: Path) -> None:
    table = LinuxProcesses()
    with session(sys.executable, str(vllm), "serve", "m") as child:
        server = (await until_async(lambda: candidate(table, child.pid))).process
        core = next(one for one in await asyncio.to_thread(whole_tree, table, server) if one.role is Role.ENGINE_CORE)
        watch = table.watch(core)
        assert watch is not None
        waiting = [asyncio.create_task(watch.ended()) for _ in range(2)]
        await asyncio.sleep(0)
        assert not any(task.done() for task in waiting)
        os.kill(core.pid, signal.SIGKILL)
        async with asyncio.timeout(30):
            exits = await asyncio.gather(*waiting)
        assert exits[0] == exits[1]
        assert (exits[0].pid, exits[0].role, exits[0].code, exits[0].signal) == (core.pid, Role.ENGINE_CORE, None, None)
        watch.cancel()


async def test_a_pid_that_was_given_to_another_process_counts_as_ended(vllm: Path) -> None:
    table = LinuxProcesses()
    with session(sys.executable, "-c", "import sys; sys.stdin.read()", stdin=-1) as child:
        watch = table.watch(
            EngineProcess(child.pid, started=psutil.Process(child.pid).create_time() - 3600, role=Role.WORKER)
        )
        assert watch is not None
        async with asyncio.timeout(30):
            assert (await watch.ended()).pid == child.pid
        assert child.stdin is not None
        child.stdin.close()


async def test_a_cancelled_watch_leaves_nothing_open() -> None:
    table = LinuxProcesses()
    me = EngineProcess(os.getpid(), psutil.Process().create_time(), Role.OTHER)
    before = psutil.Process().num_fds()
    watch = table.watch(me)
    assert watch is not None
    task = asyncio.create_task(watch.ended())
    await asyncio.sleep(0)
    watch.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert psutil.Process().num_fds() == before


async def test_without_pidfd_the_end_is_seen_by_looking(vllm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(pid: int) -> int:
        raise OSError(38, "not implemented")

    monkeypatch.setattr(os, "pidfd_open", absent)
    table = LinuxProcesses()
    with session(sys.executable, "-c", "import sys; sys.stdin.read()", stdin=-1) as child:
        watch = table.watch(EngineProcess(child.pid, psutil.Process(child.pid).create_time(), Role.API_SERVER))
        assert watch is not None
        task = asyncio.create_task(watch.ended())
        await asyncio.sleep(0)
        assert not task.done()
        child.kill()
        async with asyncio.timeout(30):
            assert (await task).code is None
        assert child.stdin is not None
        child.stdin.close()


def test_a_look_that_finds_nothing_new_is_cheap() -> None:
    with contextlib.ExitStack() as many:
        for _ in range(150):
            many.enter_context(session("/bin/sleep", "600"))
        table = LinuxProcesses(clock=lambda: time.time() + 3600)  # nobody is young any more
        table.find()
        spent = []
        for _ in range(24):
            before = time.process_time()
            table.find()
            spent.append(time.process_time() - before)
        assert min(spent) < 0.005 * max(1, len(psutil.pids()) / 300)  # the best of 24: other cores' load is not ours
