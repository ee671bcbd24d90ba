import asyncio
import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from paramedic.adapters.processes.linux import LinuxProcesses
from paramedic.adapters.supervisors import child
from paramedic.adapters.supervisors.child import ChildSupervisor
from paramedic.model.errors import ParamedicError
from paramedic.model.target import EngineProcess, Role, Target
from tests.integration.pretend import (
    end_session,
    free_port,
    in_session,
    servers_in,
    session,
    stop_process,
    until_async,
    write_vllm,
)

SECRET = "sk-very-secret"


class Engine:
    """One registered engine and all that a test asks of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.vllm = write_vllm(folder)
        self.port = free_port()
        self.target = Target("m@127.0.0.1:8200/x", f"http://127.0.0.1:{self.port}")
        self.supervisor = ChildSupervisor(folder / "engines")
        self.started: list[int] = []

    def register(self, *more: str, command: tuple[str, ...] = ()) -> None:
        argv = command or (sys.executable, str(self.vllm), "serve", "m", "--port", str(self.port), *more)
        env = {"PATH": os.environ["PATH"], "VLLM_API_KEY": SECRET}
        self.supervisor.register(self.target, argv, env, str(self.folder))

    async def start(self, run: int = 1) -> tuple[EngineProcess, str]:
        server, log = await self.supervisor.start(self.target, run)
        self.started.append(server.pid)
        return server, log

    async def start_whole(self, run: int = 1) -> tuple[EngineProcess, str]:
        server, log = await self.start(run)
        await until_async(lambda: "listening" in Path(log).read_text())
        await until_async(
            lambda: {"VLLM::EngineCore", "VLLM::Worker_TP0"} <= {title(one) for one in in_session(server.pid)}
        )
        return server, log


def title(process: psutil.Process) -> str:
    try:
        return process.cmdline()[0].strip()
    except (psutil.Error, IndexError):
        return ""


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    engine = Engine(tmp_path)
    yield engine
    for pid in engine.started:
        await asyncio.to_thread(end_session, pid)
        engine.supervisor.exit_of(pid)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_an_engine_runs_in_its_own_session_and_logs_into_a_file(engine: Engine) -> None:
    engine.register()
    server, log = await engine.start_whole()
    assert os.getsid(server.pid) == os.getpgid(server.pid) == server.pid
    assert server.role is Role.API_SERVER
    assert Path(log).read_text() == f"starting, key {SECRET}\nlistening\n"
    assert Path(log).name == "run-0001.log"
    assert psutil.Process(server.pid).environ().keys() == {"PATH", "VLLM_API_KEY"} | _of_python(server.pid)
    assert engine.supervisor.exit_of(server.pid) is None


def _of_python(pid: int) -> set[str]:
    """LC_CTYPE is set by Python itself under the C locale."""
    return {"LC_CTYPE"} & psutil.Process(pid).environ().keys()


async def test_secrets_lie_in_private_files(engine: Engine) -> None:
    engine.register("--api-key", SECRET)
    folder = engine.supervisor.folder_of(engine.target)
    await engine.start()
    assert mode(folder) == 0o700
    assert {mode(file) for file in folder.rglob("*") if file.is_file()} == {0o600}
    assert SECRET not in repr(engine.supervisor.spec(engine.target))
    assert SECRET not in (folder / "last.json").read_text()


async def test_a_stop_ends_the_whole_group_with_a_signal_that_suffices(engine: Engine) -> None:
    engine.register()
    server, _ = await engine.start_whole()
    report = await engine.supervisor.stop(engine.target, server, grace_s=60)
    assert in_session(server.pid) == []
    assert report.survivors == ()
    assert report.steps[0].startswith(f"SIGTERM to process group {server.pid} (")
    assert not any("SIGKILL" in step for step in report.steps)
    assert engine.supervisor.exit_of(server.pid) == -signal.SIGTERM
    assert engine.supervisor.free_to_start(engine.target) == ""


async def test_who_ignores_sigterm_is_killed_after_the_grace(engine: Engine) -> None:
    engine.register("--deaf")
    server, _ = await engine.start_whole()
    report = await engine.supervisor.stop(engine.target, server, grace_s=0.3)
    assert in_session(server.pid) == []
    assert [step.split()[0] for step in report.steps if step.startswith("SIG")] == ["SIGTERM", "SIGKILL"]
    assert engine.supervisor.exit_of(server.pid) == -signal.SIGKILL


async def test_without_grace_a_stopped_engine_is_killed_at_once(engine: Engine) -> None:
    engine.register()
    server, _ = await engine.start_whole()
    for process in in_session(server.pid):
        await asyncio.to_thread(stop_process, process.pid)
    report = await engine.supervisor.stop(engine.target, server, grace_s=0)
    assert in_session(server.pid) == []
    assert report.steps[0].startswith("SIGKILL")


async def test_orphans_of_a_killed_server_are_ended_also_those_with_a_group_of_their_own(engine: Engine) -> None:
    engine.register("--own-session")
    server, _ = await engine.start_whole()
    os.kill(server.pid, signal.SIGKILL)
    await until_async(lambda: engine.supervisor.exit_of(server.pid) is not None)
    assert engine.supervisor.exit_of(server.pid) == -signal.SIGKILL
    assert "still live" in engine.supervisor.free_to_start(engine.target)
    assert len({os.getpgid(one.pid) for one in in_session(server.pid)}) == 2
    report = await engine.supervisor.stop(engine.target, server, grace_s=0)
    assert in_session(server.pid) == []
    assert report.survivors == ()


async def test_the_exit_code_of_a_server_that_ends_by_itself_reaches_its_watch(engine: Engine) -> None:
    engine.register("--exit-with", "3")
    server, _ = await engine.start()
    watch = LinuxProcesses(engine.supervisor.exit_of).watch(server)
    assert watch is not None
    async with asyncio.timeout(60):
        exit_ = await watch.ended()
    assert (exit_.code, exit_.signal, str(exit_)) == (3, None, "exit code 3")


async def test_a_stop_when_nothing_is_left_says_so(engine: Engine) -> None:
    engine.register(command=("/bin/true",))
    server, _ = await engine.start()
    await until_async(lambda: engine.supervisor.exit_of(server.pid) == 0)
    assert (await engine.supervisor.stop(engine.target, server, 5)).steps[0] == "nothing was left to end"


async def test_an_engine_that_is_not_ours_is_not_ended(engine: Engine) -> None:
    engine.register()
    with session("/bin/sleep", "600") as other:
        process = EngineProcess(other.pid, psutil.Process(other.pid).create_time(), Role.API_SERVER)
        with pytest.raises(ParamedicError, match="not started by Paramedic"):
            await engine.supervisor.stop(engine.target, process, 0)
        assert other.poll() is None


async def test_a_wrapper_that_runs_the_server_is_ended_with_it(engine: Engine) -> None:
    engine.register(command=("/bin/sh", "-c", f"{sys.executable} {engine.vllm} serve m; true"))
    wrapper, _ = await engine.start_whole()
    [api] = [one.process for one in servers_in(wrapper.pid, LinuxProcesses())]
    assert api.pid != wrapper.pid
    await engine.supervisor.stop(engine.target, api, grace_s=60)
    assert in_session(wrapper.pid) == []


async def test_after_our_own_restart_the_engine_is_taken_over_and_started_alike(engine: Engine) -> None:
    engine.register("--served-model-name", "tiny")
    program = (
        "import asyncio, pathlib, sys\n"
        "from paramedic.adapters.supervisors.child import ChildSupervisor\n"
        "from paramedic.model.target import Target\n"
        "supervisor = ChildSupervisor(pathlib.Path(sys.argv[1]))\n"
        "server, _ = asyncio.run(supervisor.start(Target(sys.argv[2], 'http://x'), 1))\n"
        "print(server.pid, server.started)\n"
    )
    earlier = [sys.executable, "-c", program, str(engine.folder / "engines"), engine.target.name]
    pid, started = (await asyncio.to_thread(subprocess.check_output, earlier, text=True)).split()
    engine.started.append(int(pid))
    later = ChildSupervisor(engine.folder / "engines")
    server = EngineProcess(int(pid), float(started), Role.API_SERVER)
    assert later.last(engine.target) == server
    assert later.living_run(engine.target) == (server, 1, log_of(engine, 1))
    await later.stop(engine.target, server, grace_s=60)
    assert in_session(server.pid) == []
    again, log = await later.start(engine.target, 2)
    engine.started.append(again.pid)
    await until_async(lambda: "starting" in Path(log).read_text())
    assert psutil.Process(again.pid).cmdline()[2:] == [
        "serve",
        "m",
        "--port",
        str(engine.port),
        "--served-model-name",
        "tiny",
    ]
    assert psutil.Process(again.pid).cwd() == str(engine.folder)
    assert Path(log).name == "run-0002.log"
    await later.stop(engine.target, again, 0)


def log_of(engine: Engine, run: int) -> str:
    return str(engine.supervisor.folder_of(engine.target) / "logs" / f"run-{run:04d}.log")


@pytest.mark.parametrize("orphaned", [False, True])
async def test_a_run_that_nobody_came_to_write_down_is_found_by_its_log(engine: Engine, orphaned: bool) -> None:
    engine.register()
    server, _ = await engine.start_whole(run=4)
    (engine.supervisor.folder_of(engine.target) / "last.json").unlink()
    if orphaned:
        os.kill(server.pid, signal.SIGKILL)
        await until_async(lambda: engine.supervisor.exit_of(server.pid) is not None)
    later = ChildSupervisor(engine.folder / "engines")
    found = later.living_run(engine.target)
    assert found is not None
    assert (found[0].pid, found[1:]) == (server.pid, (4, log_of(engine, 4)))
    assert "live" in later.free_to_start(engine.target)
    await later.stop(engine.target, found[0], 0)
    assert in_session(server.pid) == []
    assert later.living_run(engine.target) is None


async def test_a_start_that_cannot_be_written_down_is_a_start(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    engine.register()
    monkeypatch.setattr(child, "write_private", full)
    server, _ = await engine.start()
    assert engine.supervisor.last(engine.target) == server


async def test_limits_and_umask_are_those_of_the_first_start(engine: Engine) -> None:
    engine.register(command=("/bin/true",))
    spec_file = engine.supervisor.folder_of(engine.target) / "spec.json"
    kept = json.loads(spec_file.read_text())
    kept["umask"] = 0o027
    kept["limits"]["RLIMIT_NOFILE"] = [123, 456]
    kept["argv"] = ["/bin/sh", "-c", "umask; read _ < go; ulimit -n"]
    spec_file.write_text(json.dumps(kept))
    os.mkfifo(engine.folder / "go")
    server, log = await engine.start()
    await asyncio.to_thread((engine.folder / "go").write_text, "go\n")
    await until_async(lambda: engine.supervisor.exit_of(server.pid) is not None)
    assert Path(log).read_text().split() == ["0027", "123"]


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (("no-such-command", "serve"), "no-such-command: no such command in the PATH"),
        (("/no/such/vllm", "serve"), "/no/such/vllm: no such file"),
        (("{folder}/plain.txt",), "not executable"),
        (("{folder}/broken",), "neither a program nor a script"),
    ],
)
async def test_what_cannot_be_started_says_why(engine: Engine, command: tuple[str, ...], says: str) -> None:
    (engine.folder / "plain.txt").write_text("text")
    (engine.folder / "broken").write_text("text")
    (engine.folder / "broken").chmod(0o755)
    engine.register(command=tuple(word.format(folder=engine.folder) for word in command))
    with pytest.raises(ParamedicError, match=says):
        await engine.start()


async def test_a_folder_that_is_gone_and_an_engine_that_was_never_ours_say_so(engine: Engine) -> None:
    with pytest.raises(ParamedicError, match="was not started by Paramedic"):
        await engine.start()
    engine.supervisor.register(engine.target, ["/bin/true"], {}, str(engine.folder / "gone"))
    with pytest.raises(ParamedicError, match=r"is gone: .*/gone"):
        await engine.start()


async def test_a_taken_port_names_who_has_it(engine: Engine) -> None:
    engine.register()
    assert engine.supervisor.free_to_start(engine.target) == ""
    with socket.socket() as other:
        other.bind(("127.0.0.1", engine.port))
        assert "does not listen" in engine.supervisor.free_to_start(engine.target)
        other.listen()
        way = engine.supervisor.free_to_start(engine.target)
        assert way.startswith(f"port {engine.port} is in use by pid {os.getpid()} (")


async def test_evidence_of_a_hung_engine_is_saved_without_its_secrets(engine: Engine) -> None:
    engine.register("--api-key", SECRET)
    server, _ = await engine.start_whole()
    tree = LinuxProcesses().tree(server) or []
    core = next(one for one in tree if one.role is Role.ENGINE_CORE)
    await asyncio.to_thread(stop_process, core.pid)
    file = Path(await engine.supervisor.save_stacks(engine.target, tree, 1))
    text = file.read_text()
    assert mode(file) == 0o600
    assert file.parent.name == "evidence"
    assert file.name.startswith("run-0001-stacks-")
    assert SECRET not in text
    assert f"engine-core pid {core.pid} VLLM::EngineCore" in text
    assert "T (stopped)" in text
    assert f"LISTEN 127.0.0.1:{engine.port}" in text
    assert "wait (" in text or "could not read them" in text  # the script's own function, where py-spy may look
    assert "== GPU" in text


async def test_evidence_that_cannot_be_written_is_no_error(engine: Engine) -> None:
    engine.register(command=("/bin/true",))
    (engine.supervisor.folder_of(engine.target) / "evidence").write_text("a file, where a folder should be")
    gone = EngineProcess(2**22 + 1, 1.0, Role.WORKER)
    assert await engine.supervisor.save_stacks(engine.target, [gone], 1) == ""


@pytest.fixture
def gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The rows that `nvidia-smi` prints on this machine."""
    rows = tmp_path / "rows"
    rows.write_text("")
    program = tmp_path / "bin" / "nvidia-smi"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\ncat {rows}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return rows


async def test_a_stop_waits_until_the_gpu_is_given_back(engine: Engine, gpu: Path) -> None:
    engine.register()
    server, _ = await engine.start()
    gpu.write_text(f"{server.pid}, 70000\n1, 500\n")
    stop = asyncio.create_task(engine.supervisor.stop(engine.target, server, 0))
    await until_async(lambda: "held by" in engine.supervisor.free_to_start(engine.target))
    assert not stop.done()
    gpu.write_text("1, 500\n")
    assert (await stop).steps[-1] == "no process of this run holds GPU memory"
    assert engine.supervisor.free_to_start(engine.target) == ""


async def test_a_gpu_that_is_not_given_back_is_in_the_way_until_it_is(
    engine: Engine, gpu: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "GPU_RELEASE_S", 1.0)
    engine.register()
    server, _ = await engine.start()
    gpu.write_text(f"{server.pid}, 70000\n")
    report = await engine.supervisor.stop(engine.target, server, 0)
    assert report.steps[-1] == f"GPU memory is still held by pid {server.pid}"
    assert f"held by pid {server.pid}" in engine.supervisor.free_to_start(engine.target)
    gpu.write_text("")
    await until_async(lambda: engine.supervisor.free_to_start(engine.target) == "")


async def test_evidence_names_the_processes_on_the_gpu(engine: Engine, gpu: Path) -> None:
    engine.register(command=("/bin/true",))
    gpu.write_text("4194305, 1024\n77, 2048\n[N/A], [N/A]\n")
    core = EngineProcess(2**22 + 1, 1.0, Role.ENGINE_CORE, "VLLM::EngineCore")
    text = Path(await engine.supervisor.save_stacks(engine.target, [core], 1)).read_text()
    assert "pid 4194305: 1024 MiB VLLM::EngineCore" in text
    assert "pid 77: 2048 MiB (not of this engine)" in text
    assert "the process has ended" in text


async def test_leftovers_in_shared_memory_go_with_the_run_but_not_what_somebody_holds(engine: Engine) -> None:
    names = [f"/dev/shm/psm_{os.getpid():08x}{number}" for number in range(2)]
    held, left = map(Path, names)
    held.write_bytes(b"x" * 4096)
    left.write_bytes(b"x" * 4096)
    try:
        hold = f"import time; files = [open(name) for name in {names}]; print('open', flush=True); time.sleep(600)"
        engine.register(command=(sys.executable, "-c", hold))
        server, log = await engine.start()
        await until_async(lambda: "open" in Path(log).read_text())
        with held.open("rb"):
            report = await engine.supervisor.stop(engine.target, server, 0)
        assert held.exists()
        assert not left.exists()
        assert any("removed 1 leftovers in /dev/shm" in step for step in report.steps)
    finally:
        held.unlink(missing_ok=True)
        left.unlink(missing_ok=True)


async def test_the_logs_of_the_last_ten_runs_are_kept_and_a_huge_one_is_emptied(engine: Engine) -> None:
    engine.register(command=("/bin/true",))
    for run in range(1, 13):
        server, _ = await engine.start(run)
    logs = engine.supervisor.folder_of(engine.target) / "logs"
    assert [file.name for file in sorted(logs.iterdir())] == [f"run-{run:04d}.log" for run in range(3, 13)]
    assert not await engine.supervisor.rotate(engine.target)
    os.truncate(logs / "run-0012.log", 256 * 1024 * 1024 + 1)  # a hole: costs no disk
    assert await engine.supervisor.rotate(engine.target)
    assert (logs / "run-0012.log").stat().st_size == 0
    assert (logs / "run-0012.log.1").stat().st_size == 256 * 1024 * 1024
    await until_async(lambda: engine.supervisor.exit_of(server.pid) is not None)


async def test_names_of_targets_never_share_a_folder(tmp_path: Path) -> None:
    supervisor = ChildSupervisor(tmp_path)
    names = ["a/b", "a_b", "a:b", "../a", "..", ".", "", "x" * 300, "模型@host:1"]
    folders = {supervisor.folder_of(Target(name, "http://x")) for name in names}
    assert len(folders) == len(names)
    assert {folder.parent for folder in folders} == {tmp_path}
    assert all(len(folder.name) < 200 and folder.resolve() != tmp_path.resolve() for folder in folders)
