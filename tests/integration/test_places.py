"""Engines in other networks, other file systems and of other users: reached where that can be proven, else seen."""

import asyncio
import contextlib
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from paramedic.adapters.http_probe import HttpProbe
from paramedic.adapters.logs.elsewhere import Logs
from paramedic.adapters.processes.linux import LinuxProcesses
from paramedic.model.target import Role
from paramedic.pipeline.reach import way_to
from paramedic.pipeline.world import World
from paramedic.ports import Candidate
from tests.integration.places import docker_proxy, engine_in, forwarder, network
from tests.integration.practice_engine import free_port, practice_engine, wait_until
from tests.integration.pretend import session, until
from tests.integration.watching import ask, watching
from tests.unit.pipeline.rig import Rig

NOBODY = 65534


def found(table: LinuxProcesses, data: Path) -> Candidate | None:
    """The engine that was started with that data folder."""
    return next((one for one in table.find() if any(str(data) in word for word in one.argv)), None)


def serving(log: Path) -> Callable[[], bool]:
    return lambda: b"Application startup complete" in log.read_bytes()


async def test_a_published_port_leads_to_it_and_is_believed_only_after_asking(tmp_path: Path) -> None:
    port, data, log = free_port(), tmp_path / "engine", tmp_path / "engine.log"
    with network() as net, engine_in(net.inside(), data, port, log):
        await asyncio.to_thread(wait_until, serving(log), "serving")
        alone = await asyncio.to_thread(until, lambda: found(LinuxProcesses(), data))
        assert alone.apart == f"netns-{net.name}"
        assert alone.urls == (f"http://{net.address}:{port}",)  # its own address; no way leads there
        assert await way(alone) == ""
        with forwarder(net, port, docker_proxy(net, port)) as outside:
            seen = found(LinuxProcesses(), data)
            assert seen is not None
            assert seen.urls == (f"http://127.0.0.1:{outside}", f"http://{net.address}:{port}")
            seen = replace(seen, urls=seen.urls[:1])
            assert await way(seen) == f"http://127.0.0.1:{outside}"
            other = replace(seen, argv=("vllm", "serve", "--served-model-name", "another"))
            assert await way(other) == ""
            older = replace(seen, process=replace(seen.process, started=seen.process.started - 3600))
            assert await way(older) == ""  # another run of the same model answers there


async def test_its_own_address_is_used_where_a_cable_leads_there(tmp_path: Path) -> None:
    port, data, log = free_port(), tmp_path / "engine", tmp_path / "engine.log"
    with (
        network(cable=True) as net,
        engine_in(net.inside(), data, port, log),
        forwarder(net, port, listen=net.address),
    ):
        await asyncio.to_thread(wait_until, serving(log), "serving")
        seen = await asyncio.to_thread(until, lambda: found(LinuxProcesses(), data))
        assert await way(seen) == f"http://{net.address}:{port}"


async def way(candidate: Candidate) -> str:
    probe = HttpProbe(lambda target: None)
    try:
        rig = Rig().world
        return await way_to(
            World(rig.clock, rig.recorder, rig.samples, probe, rig.processes, rig.supervisor, rig.open_log), candidate
        )
    finally:
        await probe.close()


def test_in_our_own_network_nothing_is_apart(tmp_path: Path) -> None:
    with practice_engine(tmp_path / "engine") as engine:
        engine.ready()
        seen = until(lambda: found(LinuxProcesses(), engine.data_dir))
        assert (seen.apart, seen.urls[0]) == ("", engine.url)
        assert not seen.unreadable


async def test_a_container_of_all_kinds_its_log_is_read_and_its_end_told(tmp_path: Path) -> None:
    """Its own network, process numbers and file system: the log lies where only its own processes look."""
    data, hidden = tmp_path / "engine", tmp_path / "hidden"
    hidden.mkdir()
    table = LinuxProcesses()
    with engine_in(container(hidden), data, free_port()):
        seen = await asyncio.to_thread(until, lambda: found(table, data))
        assert seen.apart.startswith("netns-")
        assert not list(hidden.iterdir())  # nothing of it is to be seen at its own path
        assert seen.log == f"/proc/{seen.process.pid}/root{hidden}/engine.log"
        logs = Logs()
        log = logs.open(seen.log)
        await asyncio.to_thread(until, lambda: log.new_lines().lines)
        watch = table.watch(seen.process)
        assert watch is not None
        os.kill(seen.process.pid, signal.SIGKILL)
        async with asyncio.timeout(60):
            assert (await watch.ended()).pid == seen.process.pid
        watch.cancel()
        log.close()
        await asyncio.to_thread(until, lambda: not Path(seen.log).exists())  # its file system has gone with it
        again = logs.open(seen.log)
        assert again.tail(100_000).lines
        assert again.new_lines().file == seen.log
        again.close()
        logs.close()


def test_why_an_engine_in_a_container_died_is_told_by_its_own_log(tmp_path: Path) -> None:
    data, hidden = tmp_path / "engine", tmp_path / "hidden"
    hidden.mkdir()
    with engine_in(container(hidden), data, free_port()), watching(tmp_path) as start:
        server = until(lambda: found(LinuxProcesses(), data)).process
        log = Path(f"/proc/{server.pid}/root{hidden}/engine.log")
        wait_until(lambda: log.exists() and serving(log)(), "serving")
        watch = start("--discovery", "--no-practice")
        name = f"practice@netns-{Path(f'/proc/{server.pid}/ns/net').stat().st_ino}"
        watch.wait("StateChanged", target=name, after="out_of_reach")
        core = next(p for p in LinuxProcesses().tree(server) or () if p.role is Role.ENGINE_CORE)
        os.kill(core.pid, signal.SIGKILL)
        watch.wait("StateChanged", target=name, after="dead")
        opened = watch.wait("IncidentOpened", target=name)
        told = watch.wait("DiagnosisMade", incident=opened["incident"])["diagnosis"]
        assert told["findings"][0]["cause"] == "engine-core-died"
        assert any(str(log) == evidence["file"] for evidence in told["findings"][0]["evidence"])
        assert not watch.seen("ActionRequested", target=name)  # it is another's: only looked at
        assert watch.end() == 0


def container(hidden: Path) -> list[str]:
    """The command that begins another one in a network, a process table and a file system of its own."""
    if shutil.which("unshare") is None or os.geteuid() != 0:
        pytest.skip("not permitted here: to make namespaces, which needs root and the program `unshare`")
    inside = f'mount -t tmpfs none {hidden} && exec "$@" > {hidden}/engine.log 2>&1'
    return ["unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc", "sh", "-c", inside, "_"]


def test_out_of_reach_is_said_is_no_alert_and_ends_when_a_way_is_opened(tmp_path: Path) -> None:
    port, data, log = free_port(), tmp_path / "engine", tmp_path / "engine.log"
    with network() as net, engine_in(net.inside(), data, port, log), watching(tmp_path) as start:
        wait_until(serving(log), "serving")
        watch = start("--discovery", "--no-practice")
        name = f"practice@netns-{net.name}"
        watch.wait("StateChanged", target=name, after="out_of_reach")
        [added] = [e["target"] for e in watch.seen("TargetAdded") if e["target"]["name"] == name]
        assert (added["url"], added["origin"]) == ("", "found")
        [row] = [row for row in ask(watch.data, "status", ok=(1, 3))["targets"] if row["name"] == name]
        assert row["state"] == "out_of_reach"
        assert "give --target http://HOST:PORT" in row["reason"]["en"]
        with forwarder(net, port, docker_proxy(net, port)) as outside:
            watch.wait("StateChanged", target=name, after="serving", patience=60)
            added = [e["target"] for e in watch.seen("TargetAdded") if e["target"]["name"] == name][-1]
            assert added["url"] == f"http://127.0.0.1:{outside}"
            assert not [e for e in watch.seen("AlertFired") if e["alert"]["target"] == name]
            [seen] = watch.seen("EngineSeen", target=name)
            os.kill(seen["process"]["pid"], signal.SIGKILL)
            watch.wait("StateChanged", target=name, after="dead")
        assert watch.seen("ProcessEnded", target=name)
        assert watch.end() == 0


def test_an_engine_that_nobody_reaches_ends_with_a_word(tmp_path: Path) -> None:
    port, data = free_port(), tmp_path / "engine"
    with network() as net, engine_in(net.inside(), data, port), watching(tmp_path) as start:
        watch = start("--discovery", "--no-practice")
        name = f"practice@netns-{net.name}"
        watch.wait("StateChanged", target=name, after="out_of_reach")
        [seen] = watch.seen("EngineSeen", target=name)
        os.kill(seen["process"]["pid"], signal.SIGKILL)
        watch.wait("StateChanged", target=name, after="dead")
        [died] = watch.seen("StateChanged", target=name, after="dead")
        assert died["before"] == "out_of_reach"
        assert watch.end() == 0


def as_nobody(data: Path) -> dict[str, str]:
    """What another user is told of the engine; looked at by a fork of ours that has become nobody."""
    ours, its = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # other threads of ours have nothing to do with it
        child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
            one = found(LinuxProcesses(), data)
            told = (
                {"urls": " ".join(one.urls), "apart": one.apart, "en": one.unreadable.en, "log": one.log} if one else {}
            )
            os.write(its, json.dumps(told).encode())
        finally:
            os._exit(0)
    os.close(its)
    with open(ours, "rb") as answer:  # noqa: PTH123 (a descriptor)
        said = answer.read()
    os.waitpid(child, 0)
    result: dict[str, str] = json.loads(said or b"null")
    return result


@pytest.mark.skipif(os.geteuid() != 0, reason="not permitted here: to become another user")
def test_what_another_user_may_not_read_is_said(tmp_path: Path) -> None:
    with practice_engine(tmp_path / "engine") as engine:
        engine.ready()
        told = as_nobody(engine.data_dir)
        me = pwd.getpwuid(os.geteuid()).pw_name
        assert told["en"] == (
            f"could not read the sockets and the log of pid {engine.process.pid} (owned by {me}): "
            "run as that user or root"
        )
        assert (told["urls"], told["apart"], told["log"]) == (engine.url, "", "")


@pytest.mark.skipif(os.geteuid() != 0, reason="not permitted here: to become another user")
def test_another_user_too_sees_that_it_lives_in_another_network(tmp_path: Path) -> None:
    data = tmp_path / "engine"
    with network() as net, engine_in(net.inside(), data, free_port()):
        until(lambda: found(LinuxProcesses(), data))
        assert as_nobody(data)["apart"].startswith("pid-")


def test_the_way_to_a_namespace_of_podman_is_told_by_pasta(tmp_path: Path) -> None:
    from paramedic.adapters.processes.forwarders import published_by
    from paramedic.adapters.processes.networks import network_of

    with network() as net, network() as other:
        command = net.inside("sleep", "60")
        with subprocess.Popen(command) as child:
            until(lambda: network_of(child.pid) not in (None, network_of("self")))
            its = network_of(child.pid)
            child.kill()
        argv = ("/usr/bin/pasta", "--config-net", "-t", "127.0.0.1/9000-9001:8000-8001", "--netns")
        assert published_by((*argv, net.path), 8001, (), its) == [("127.0.0.1", 9001)]
        assert published_by((*argv, other.path), 8001, (), its) == []


LIBRARIES = os.pathsep.join(path for path in sys.path if path.endswith(("site-packages", "src")))
AS_NOBODY: dict[str, Any] = {
    "user": NOBODY,
    "group": NOBODY,
    "extra_groups": [],
    "cwd": "/",
    "env": {"PATH": "/usr/bin:/bin", "PYTHONPATH": LIBRARIES, "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"},
}


def python_of_nobody() -> str:
    """A Python like ours that another user may run: ours may lie in a home folder that is closed to others."""
    for python in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
        with contextlib.suppress(OSError):
            ours = [python, "-c", "import paramedic.app.daemon"]
            if subprocess.run(ours, check=False, capture_output=True, timeout=60, **AS_NOBODY).returncode == 0:
                return python
    pytest.skip("not permitted here: another user may not run this Python")


@pytest.fixture
def nobodys_folder() -> Iterator[Path]:
    """A folder that every user may write to; pytest's own are closed."""
    folder = Path(tempfile.mkdtemp(prefix="paramedic-nobody-"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="not permitted here: to become another user")
def test_a_watch_without_root_says_once_what_it_could_not_read_and_goes_on(nobodys_folder: Path) -> None:
    python = python_of_nobody()
    config = nobodys_folder / "paramedic.yaml"
    config.write_text("server: {port: 0}\ninterval: 1s\n")
    data, out = nobodys_folder / "data", nobodys_folder / "out"
    command = [python, "-m", "paramedic", "watch", "--json", "--no-practice", "--for", "60s"]
    command += ["--data-dir", str(data), "--config", str(config)]
    with practice_engine(nobodys_folder / "engine") as engine, out.open("wb") as told:
        engine.ready()
        with session(*command, stdout=told, **AS_NOBODY) as watch:

            def events(kind: str) -> list[dict[str, Any]]:
                lines = [json.loads(line) for line in out.read_text().splitlines(keepends=True) if line.endswith("\n")]
                return [e for e in lines if e["type"] == kind]

            def served() -> bool:
                seen = [e["target"] for e in events("EngineSeen") if e["process"]["pid"] == engine.process.pid]
                return bool([e for e in events("StateChanged") if e["target"] in seen and e["after"] == "serving"])

            wait_until(served, "serving", 60)
            [name] = [e["target"] for e in events("EngineSeen") if e["process"]["pid"] == engine.process.pid]
            [said] = [e for e in events("ReadingRefused") if e["target"] == name]
            assert f"of pid {engine.process.pid} (owned by root): run as that user or root" in said["what"]["en"]
            [row] = [row for row in ask(data, "status", ok=(0, 1, 3))["targets"] if row["name"] == name]
            assert (row["state"], row["unreadable"]) == ("serving", said["what"])
            os.kill(engine.process.pid, signal.SIGKILL)  # its end is told all the same
            wait_until(lambda: any(e["target"] == name for e in events("ProcessEnded")), "its end", 60)
            watch.send_signal(signal.SIGINT)
            assert watch.wait(60) == 0
