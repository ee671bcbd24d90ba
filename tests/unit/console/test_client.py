"""Commands find the daemon by its data folder, and say clearly when there is none."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from paramedic.console.client import Daemon
from paramedic.model.errors import CouldNotTell, NoDaemon, UsageError
from tests.fakes.console import TOKEN, Console


def test_no_file_is_no_daemon(tmp_path: Path) -> None:
    assert Daemon.find(tmp_path) is None
    with pytest.raises(NoDaemon, match=r"nobody watches in .*: start `paramedic watch`"):
        Daemon.need(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"pid": "x", "started": 1, "url": "u", "token": "t"}'])
def test_a_half_written_file_is_no_daemon(tmp_path: Path, text: str) -> None:
    (tmp_path / "daemon.json").write_text(text)
    assert Daemon.find(tmp_path) is None


async def test_a_file_whose_process_has_gone_is_no_daemon(console: Console, tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    console.write_facts(tmp_path, pid=process.pid)
    assert Daemon.find(tmp_path) is None


async def test_a_process_that_only_inherited_the_number_is_no_daemon(console: Console, tmp_path: Path) -> None:
    console.write_facts(tmp_path, started=psutil.Process().create_time() - 3600)
    assert Daemon.find(tmp_path) is None


async def test_get_and_post(console: Console, tmp_path: Path) -> None:
    console.write_facts(tmp_path)
    daemon = Daemon.need(tmp_path)
    board = await asyncio.to_thread(daemon.get, "/api/board")
    answer = await asyncio.to_thread(daemon.post, "/api/actions/ACT-0001/approve", {"by": "王伟"})
    assert board["daemon_pid"] == os.getpid()
    assert answer["by"] == "王伟"


async def test_the_daemons_sentence_is_the_error(console: Console, tmp_path: Path) -> None:
    console.write_facts(tmp_path)
    daemon = Daemon.need(tmp_path)
    with pytest.raises(UsageError, match="there is no action ACT-0002"):
        await asyncio.to_thread(daemon.post, "/api/actions/ACT-0002/approve", {"by": "x"})


async def test_a_wrong_token_is_told(console: Console, tmp_path: Path) -> None:
    console.write_facts(tmp_path, token="old")
    with pytest.raises(NoDaemon, match="the daemon refused us"):
        await asyncio.to_thread(Daemon.need(tmp_path).get, "/api/board")


async def test_nobody_at_the_address(console: Console, tmp_path: Path) -> None:
    console.write_facts(tmp_path)
    await console.server.stop()
    with pytest.raises(NoDaemon, match="does not answer at"):
        await asyncio.to_thread(Daemon.need(tmp_path).get, "/api/board")


async def test_the_stream_ends_with_the_daemon(console: Console, tmp_path: Path) -> None:
    console.write_facts(tmp_path)
    last = len(console.daemon.journal)
    stream = Daemon.need(tmp_path).stream(last - 2)
    assert (await asyncio.to_thread(next, stream))["seq"] == last - 1
    assert (await asyncio.to_thread(next, stream))["seq"] == last
    rest = asyncio.create_task(asyncio.to_thread(list, stream))
    await console.server.stop()
    assert await asyncio.wait_for(rest, 30) == []


async def test_a_defect_of_the_daemon_is_not_the_users_mistake(
    console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    console.write_facts(tmp_path)

    def broken() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(console.daemon, "board", broken)
    with pytest.raises(CouldNotTell, match="a defect of Paramedic: ZeroDivisionError"):
        await asyncio.to_thread(Daemon.need(tmp_path).get, "/api/board")


async def test_the_token_is_not_in_its_representation(console: Console, tmp_path: Path) -> None:
    console.write_facts(tmp_path)
    assert TOKEN not in repr(Daemon.need(tmp_path))
