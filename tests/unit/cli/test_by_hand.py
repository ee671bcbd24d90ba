"""hold, resume and restart: what a person types, what the daemon is told, and what comes back."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path

import pytest

from paramedic.journal import events as e
from paramedic.model.action import Outcome
from paramedic.model.target import EngineState, Mode
from paramedic.model.text import NO_WORDS, Text
from paramedic.pipeline.board import ActionRow, TargetRow
from tests.fakes.console import Console, pretend_console
from tests.fakes.night import ASKED, BEGIN, EMBED, QWEN

from .conftest import Said, Say

NAME = QWEN.name
Ask = Callable[..., Coroutine[None, None, Said]]


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[Console]:
    async with pretend_console() as running:
        running.write_facts(tmp_path)
        running.daemon.rows = (row(NAME), row(EMBED.name, started_by_us=False))
        yield running


def row(name: str, **changes: object) -> TargetRow:
    fields = {"started_by_us": True, "run": 1, "pid": 7, "stage": "", "running": 3.0, **changes}
    return TargetRow(name, "http://h:1", "m", EngineState.SERVING, 1, NO_WORDS, Mode.ACT, **fields)  # type: ignore[arg-type]


@pytest.fixture
def say(paramedic: Say, tmp_path: Path) -> Ask:
    """The command in a thread, on the data folder of the console."""

    async def call(*arguments: str) -> Said:
        return await asyncio.to_thread(paramedic, *arguments, "--data-dir", str(tmp_path))

    return call


@pytest.mark.parametrize("command", [("hold", "x"), ("resume", "x"), ("restart", "x", "--yes")])
def test_without_a_daemon(paramedic: Say, tmp_path: Path, command: tuple[str, ...]) -> None:
    said = paramedic(*command, "--data-dir", str(tmp_path))
    assert (said.code, said.out) == (4, "")
    assert said.err.startswith(f"paramedic: nobody watches in {tmp_path}: start `paramedic watch`")


# Hold and resume


async def test_hold_until_resume(say: Ask, console: Console) -> None:
    said = await say("hold", "qwen", "--as", "li.wei", "--reason", "profiling")
    assert (said.code, said.err) == (0, "")
    assert said.out == (
        f"{NAME} is held by li.wei: Paramedic watches, and does nothing to it, until `paramedic resume {NAME}`.\n"
    )
    assert console.daemon.done == [("hold", "qwen", "li.wei", "None", "profiling")]


async def test_hold_for_a_time_says_until_when_and_what_is_finished_first(say: Ask, console: Console) -> None:
    begun = ActionRow("ACT-0007", "restart", NAME, "running", "", NO_WORDS, 1, NO_WORDS)
    console.daemon.actions = (begun, ActionRow("ACT-0008", "restart", EMBED.name, "running", "", NO_WORDS, 1, NO_WORDS))
    said = await say("hold", NAME, "--for", "1h30m", "--as", "li.wei", "--lang", "zh")
    assert said.code == 0
    first, second = said.out.splitlines()
    assert first.startswith(f"{NAME} 已由 li.wei 接管：只看护，不动它，至 2026-")
    assert second == "ACT-0007 已经开始，会做完：不会让服务停在半路。"
    assert console.daemon.done == [("hold", NAME, "li.wei", "5400.0", "")]


async def test_hold_for_machines(say: Ask, console: Console) -> None:
    said = await say("hold", NAME, "--for", "60", "--as", "li.wei", "--json")
    assert said.json == {
        "target": NAME, "status": "held", "by": "li.wei", "reason": "", "until": BEGIN + 60 * 10**9, "under_way": [],
    }  # fmt: skip


async def test_a_time_that_is_none(say: Ask, console: Console) -> None:
    said = await say("hold", NAME, "--for", "soon")
    assert (said.code, said.err) == (
        2,
        "paramedic: --for is not a duration: write 5s, 15m, 1h or a number of seconds\n",
    )
    assert console.daemon.done == []


@pytest.mark.parametrize("command", [("hold",), ("resume",), ("restart", "--yes"), ("restart",)])
async def test_a_server_that_is_not_watched(say: Ask, console: Console, command: tuple[str, ...]) -> None:
    said = await say(*command, "qwn3-8b@127.0.0.1:8000")
    assert (said.code, said.out) == (2, "")
    assert f"there is no server 'qwn3-8b@127.0.0.1:8000' (did you mean '{NAME}'?); watched are {NAME}, " in said.err


async def test_resume(say: Ask, console: Console) -> None:
    said = await say("resume", "qwen", "--as", "li.wei")
    assert (said.code, said.out) == (0, f"{NAME} is in Paramedic's hands again.\n")
    said = await say("resume", "qwen", "--as", "li.wei", "--reason", "done", "--json")
    assert said.json == {"target": NAME, "status": "resumed", "by": "li.wei", "reason": "done"}


# Restart

STEPS: tuple[e.Event, ...] = (
    e.ActionStarted(ASKED),
    e.ActionStarted("ACT-0099"),  # of another server
    e.StageReached(NAME, 2, "loading"),
    e.StageReached(EMBED.name, 2, "compiling"),
    e.ActionFinished(ASKED, Outcome.DONE, Text("verified by a token", "已用 token 验证")),
    e.StageReached(NAME, 2, "warming"),  # after its end
)


async def test_restart_shows_its_steps_until_it_serves(say: Ask, console: Console) -> None:
    console.daemon.to_come = STEPS
    said = await say("restart", "qwen", "--yes", "--as", "li.wei", "--reason", "new weights")
    assert (said.code, said.err) == (0, "")
    told = [line.split("  ", 2)[-1].strip() for line in said.out.splitlines()]
    assert told == [
        f"{ASKED}  restart {NAME}: new weights",
        f"{ASKED}  begins",
        f"{NAME}  start-up: loading weights",
        f"{ASKED}  done: verified by a token",
    ]
    assert console.daemon.done == [("restart", "qwen", "li.wei", "new weights")]


@pytest.mark.parametrize(("outcome", "code"), [(Outcome.DONE, 0), (Outcome.FAILED, 1), (Outcome.UNKNOWN, 3)])
async def test_restart_for_machines(say: Ask, console: Console, outcome: Outcome, code: int) -> None:
    end = Text("why", "原因")
    console.daemon.to_come = (e.ActionStarted(ASKED), e.ActionFinished(ASKED, outcome, end))
    said = await say("restart", NAME, "--yes", "--json", "--as", "li.wei")
    assert said.code == code
    assert said.json == {
        "action": ASKED, "target": NAME, "status": outcome.value, "by": "li.wei", "reason": "",
        "detail": {"en": "why", "zh": "原因"}, "seconds": 2.0,
    }  # fmt: skip


async def test_restart_without_waiting(say: Ask, console: Console) -> None:
    said = await say("restart", NAME, "--yes", "--no-wait")
    assert (said.code, said.out) == (0, f"{ASKED}: {NAME} is restarted.\n")
    said = await say("restart", NAME, "--yes", "--no-wait", "--json")
    assert json.loads(said.out)["status"] == "requested"


async def test_without_a_terminal_a_yes_must_be_given(
    say: Ask, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    said = await say("restart", NAME)
    assert (said.code, said.out) == (2, "")
    assert (
        said.err == f"paramedic: {NAME} is not restarted without a yes, and there is no terminal to ask on: say --yes\n"
    )
    assert console.daemon.done == []


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 130), ("\n", 130)])
async def test_on_a_terminal_a_person_is_asked(
    say: Ask, console: Console, monkeypatch: pytest.MonkeyPatch, answer: str, code: int
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    said = await say("restart", "qwen", "--no-wait")
    assert f"Restart {NAME} (serving; 3 requests run and would be lost)?" in said.err + said.out
    assert said.code == code
    assert len(console.daemon.done) == (code == 0)


async def test_what_the_daemon_refuses_is_not_asked(
    say: Ask, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that was found, or is held: the daemon's sentence comes at once."""
    monkeypatch.setattr("sys.stdin", Terminal(""))
    await say("restart", EMBED.name, "--no-wait")
    assert [done[:2] for done in console.daemon.done] == [("restart", EMBED.name)]


async def test_a_daemon_that_goes_leaves_the_outcome_open(say: Ask, console: Console) -> None:
    console.daemon.to_come = (e.ActionStarted(ASKED),)
    waiting = asyncio.create_task(say("restart", NAME, "--yes", "--json"))
    while not console.daemon.done:
        await asyncio.sleep(0.01)
    await console.server.stop()
    said = await asyncio.wait_for(waiting, 60)
    assert said.code == 3
    assert said.err == f"paramedic: the daemon has gone before {ASKED} was over: see `paramedic explain {ASKED}`\n"
