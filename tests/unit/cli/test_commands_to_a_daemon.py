"""approve, reject and stop: they need a daemon, and say who asked."""

import asyncio
import getpass
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psutil
import pytest

from paramedic.cli import person
from tests.fakes.console import Console, pretend_console

from .conftest import Say


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[Console]:
    async with pretend_console() as running:
        running.write_facts(tmp_path)
        yield running


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    """A process that stands for the daemon's and lives until it is told to end."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield child
    child.kill()
    child.communicate()


@pytest.mark.parametrize("command", [("approve", "ACT-0001"), ("reject", "ACT-0001"), ("stop",)])
def test_without_a_daemon(paramedic: Say, tmp_path: Path, command: tuple[str, ...]) -> None:
    said = paramedic(*command, "--data-dir", str(tmp_path))
    assert (said.code, said.out) == (4, "")
    assert said.err == (
        f"paramedic: nobody watches in {tmp_path}: start `paramedic watch`, or name its folder with --data-dir\n"
    )


async def test_approve_as_oneself(paramedic: Say, tmp_path: Path, console: Console) -> None:
    said = await asyncio.to_thread(paramedic, "approve", "ACT-0001", "--data-dir", str(tmp_path))
    me = getpass.getuser()
    assert (said.code, said.out) == (0, f"ACT-0001 is approved by {me}.\n")
    assert console.daemon.done == [("approve", "ACT-0001", me)]


async def test_reject_as_somebody_with_a_reason(paramedic: Say, tmp_path: Path, console: Console) -> None:
    options = ("--as", "王伟", "--reason", "在做 profiling", "--data-dir", str(tmp_path))
    said = await asyncio.to_thread(paramedic, "reject", "ACT-0001", *options, "--json")
    expected = {"action": "ACT-0001", "status": "rejected", "by": "王伟", "reason": "在做 profiling"}
    assert json.loads(said.out) == expected
    assert console.daemon.done == [("reject", "ACT-0001", "王伟", "在做 profiling")]


@pytest.mark.parametrize("action", ["ACT-0002", "../stop", "a b", "ACT-0001?x=1", "é"])
async def test_an_action_that_does_not_wait(paramedic: Say, tmp_path: Path, console: Console, action: str) -> None:
    said = await asyncio.to_thread(paramedic, "approve", action, "--data-dir", str(tmp_path))
    assert (said.code, said.out) == (2, "")
    assert console.daemon.done == []


async def test_stop_waits_until_the_process_has_gone(
    paramedic: Say, tmp_path: Path, console: Console, process: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    console.write_facts(tmp_path, pid=process.pid, started=psutil.Process(process.pid).create_time())

    def end(by: str) -> None:
        process.kill()

    monkeypatch.setattr(console.daemon, "stop", end)
    said = await asyncio.to_thread(paramedic, "stop", "--data-dir", str(tmp_path))
    assert (said.code, said.out) == (0, f"Paramedic (pid {process.pid}) has stopped.\n")


async def test_stop_says_when_it_has_not_gone_in_time(
    paramedic: Say, tmp_path: Path, console: Console, process: subprocess.Popen[bytes]
) -> None:
    console.write_facts(tmp_path, pid=process.pid, started=psutil.Process(process.pid).create_time())
    said = await asyncio.to_thread(paramedic, "stop", "--timeout", "200ms", "--as", "li", "--data-dir", str(tmp_path))
    assert said.code == 3
    assert said.err == (f"paramedic: Paramedic (pid {process.pid}) was asked to stop, but is still there after 200ms\n")
    assert console.daemon.done == [("stop", "li")]


def test_a_time_that_is_none(paramedic: Say, tmp_path: Path) -> None:
    said = paramedic("stop", "--timeout", "soon", "--data-dir", str(tmp_path))
    assert said.code == 2
    assert said.err.startswith("paramedic: --timeout is not a duration")


def test_a_user_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError

    monkeypatch.setattr("getpass.getuser", nameless)
    assert person.user_name().startswith("uid ")
