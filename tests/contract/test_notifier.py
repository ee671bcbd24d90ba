"""Every notifier: it takes a message, says so, and raises for nothing that the other side may do."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from paramedic.adapters.notifiers.email import EmailNotifier, MailServer
from paramedic.adapters.notifiers.terminal import TerminalNotifier
from paramedic.adapters.notifiers.webhook import WebhookNotifier
from paramedic.ports import Message, Notifier, Receipt
from tests.fakes import FakeNotifier
from tests.integration.mail_server import mail_server
from tests.integration.pretend import free_port
from tests.integration.test_http_probe import Server, running


@dataclass
class World:
    willing: Notifier
    unwilling: Notifier


def broken(line: str) -> None:
    raise BrokenPipeError


def mailboxes(port: int) -> Notifier:
    return EmailNotifier("duty", MailServer("127.0.0.1", port, "none"), "paramedic@mail.test", ["duty@mail.test"], "zh")


@pytest.fixture(params=["terminal", "webhook", "email", "fake"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    if request.param == "terminal":
        yield World(TerminalNotifier([].append), TerminalNotifier(broken))
    elif request.param == "fake":
        unwilling = FakeNotifier()
        unwilling.receipt = Receipt(ok=False, detail="no")
        yield World(FakeNotifier(), unwilling)
    elif request.param == "email":
        with mail_server() as boxes:
            yield World(mailboxes(boxes.port), mailboxes(free_port()))
    else:
        async with running(Server()) as server:
            server.says("/", {})
            yield World(
                WebhookNotifier("ops", server.url + "/", "s"),
                WebhookNotifier("ops", f"http://127.0.0.1:{free_port()}/", "s"),
            )


MESSAGES = [
    Message("d-1", "INC-2026-0001", "m@h:1", "opened", "P0", "engine dead", "why\nand what to do", {"cause": "x"}),
    Message("d\r\n2", "", "", "", "", "引擎\x1b[2J死了", "", {"odd": object()}),
]


@pytest.mark.parametrize("message", MESSAGES)
async def test_who_can_be_told_is_told(world: World, message: Message) -> None:
    assert (await world.willing.deliver(message)).ok


@pytest.mark.parametrize("message", MESSAGES)
async def test_who_cannot_be_told_is_a_receipt_with_a_reason(world: World, message: Message) -> None:
    receipt = await world.unwilling.deliver(message)
    assert not receipt.ok
    assert receipt.detail


async def test_a_message_cannot_steer_the_terminal() -> None:
    lines: list[str] = []
    await TerminalNotifier(lines.append).deliver(MESSAGES[1])
    await TerminalNotifier(lines.append).deliver(MESSAGES[0])
    assert lines == ["引擎 [2J死了", "P0 INC-2026-0001 m@h:1 engine dead"]
