import json
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from paramedic.adapters.notifiers import webhook
from paramedic.adapters.notifiers.webhook import WebhookNotifier, payload
from paramedic.ports import Message
from tests.integration.pretend import free_port
from tests.integration.test_http_probe import Server, cut, never, running

SECRET = "between us"
MESSAGE = Message(
    "d-1", "INC-2026-0042", "m@h:1", "opened", "P0", "引擎死了", "engine-core-died", {"cause": "x", "level": "P4"}
)
DOC = Path(__file__).parents[2] / "docs/reference/webhook.md"


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with running(Server()) as server:
        yield server


def notifier(server: Server) -> WebhookNotifier:
    return WebhookNotifier("ops", server.url + "/hook?token=hidden", SECRET)


async def test_the_documented_receiver_accepts_what_we_send_and_nothing_else(server: Server) -> None:
    code = re.search(r"```python\n(.*?)```", DOC.read_text(), re.DOTALL)
    assert code
    receiver: dict[str, object] = {}
    exec(code.group(1), receiver)  # noqa: S102 (our own documentation)
    is_from_paramedic = receiver["is_from_paramedic"]
    assert callable(is_from_paramedic)
    got: list[tuple[dict[str, str], bytes]] = []

    async def take(request: web.Request) -> web.StreamResponse:
        got.append((dict(request.headers), await request.read()))
        return web.Response(status=204)

    server.answers["/hook"] = take
    receipt = await notifier(server).deliver(MESSAGE)
    assert receipt.ok
    (headers, body), now = got[0], time.time()
    assert is_from_paramedic(SECRET, headers, body, now)
    assert not is_from_paramedic("other", headers, body, now)
    assert not is_from_paramedic(SECRET, headers, body + b" ", now)
    assert not is_from_paramedic(SECRET, headers, body, now + 600)
    assert not is_from_paramedic(SECRET, {**headers, "X-Paramedic-Timestamp": str(int(now) + 1)}, body, now)
    assert not is_from_paramedic(SECRET, {}, body, now)
    assert headers["X-Paramedic-Delivery"] == "d-1"
    assert json.loads(body) == payload(MESSAGE)


def test_facts_never_hide_what_every_message_has() -> None:
    assert payload(MESSAGE) == {
        "version": 1, "delivery": "d-1", "incident": "INC-2026-0042", "target": "m@h:1", "occasion": "opened",
        "level": "P0", "title": "引擎死了", "body": "engine-core-died", "cause": "x",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("status", "ok", "retry"),
    [(200, True, None), (202, True, None), (301, False, False), (400, False, False), (404, False, False),
     (408, False, True), (425, False, True), (429, False, True), (500, False, True), (503, False, True)],
)  # fmt: skip
async def test_the_answer_decides_about_another_try(server: Server, status: int, ok: bool, retry: bool | None) -> None:
    server.says("/hook", {}, status=status)
    receipt = await notifier(server).deliver(MESSAGE)
    assert receipt.ok is ok
    assert retry in (None, receipt.retry)
    assert f"HTTP {status} from 127.0.0.1" in receipt.detail
    assert "hidden" not in receipt.detail


@pytest.mark.parametrize(
    ("header", "says"),
    [("7", "try again after 7 s"), ("9999", "after 60 s"), ("soon", "127.0.0.1"), ("²", "127.0.0.1")],
)
async def test_a_wish_to_wait_is_noted(server: Server, header: str, says: str) -> None:
    async def later(request: web.Request) -> web.StreamResponse:
        return web.Response(status=429, headers={"Retry-After": header})

    server.answers["/hook"] = later
    assert (await notifier(server).deliver(MESSAGE)).detail.endswith(says)


async def test_no_answer_can_be_tried_again(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "TIMEOUT_S", 0.2)
    server.answers["/hook"] = never
    late = await notifier(server).deliver(MESSAGE)
    server.answers["/hook"] = cut
    torn = await notifier(server).deliver(MESSAGE)
    gone = await WebhookNotifier("ops", f"http://me:pw@127.0.0.1:{free_port()}/hook?token=hidden", SECRET).deliver(
        MESSAGE
    )
    for receipt in (late, torn, gone):
        assert (receipt.ok, receipt.retry) == (False, True)
        assert not re.search("hidden|token|me:pw|hook", receipt.detail)


@pytest.mark.parametrize("url", ["nonsense", "http://[", "ftp://x/y", ""])
async def test_a_url_that_cannot_work_is_not_tried_again(url: str) -> None:
    receipt = await WebhookNotifier("ops", url, SECRET).deliver(MESSAGE)
    assert (receipt.ok, receipt.retry) == (False, False)
