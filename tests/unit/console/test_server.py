"""The API over a real server: who may ask, what is answered, and how mistakes are told."""

import asyncio
import json

import aiohttp
import pytest

from paramedic.console.server import _messages
from paramedic.journal.codec import Entry
from tests.fakes.console import TOKEN, Console, PretendDaemon
from tests.fakes.night import QWEN, crash_and_restart

Auth = dict[str, str]


async def test_without_the_token_nothing_is_told(console: Console) -> None:
    wrong = [None, "Bearer wrong", f"Basic {TOKEN}", TOKEN, "Bearer ", f"Bearer {TOKEN}x", "é"]
    async with aiohttp.ClientSession() as session:
        for path in ("/api/board", "/api/events", "/api/stream", "/", "/api/nothing"):
            for header in wrong:
                headers = {} if header is None else {"Authorization": header}
                async with session.get(console.url + path, headers=headers) as reply:
                    assert reply.status == 401, (path, header)
                    assert "Authorization: Bearer TOKEN" in (await reply.json())["error"]


async def test_a_token_in_the_url_is_no_token(console: Console) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{console.url}/api/board?token={TOKEN}") as reply:
        assert reply.status == 401


async def test_a_foreign_host_name_is_refused_even_with_the_token(console: Console, auth: Auth) -> None:
    headers = auth | {"Host": "attacker.example"}
    async with aiohttp.ClientSession(headers=headers) as session:
        for path in ("/api/board", "/healthz"):
            async with session.get(console.url + path) as reply:
                assert reply.status == 403, path


async def test_health_needs_no_token_and_tells_little(console: Console) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{console.url}/healthz") as reply:
        assert reply.status == 200
        assert set(await reply.json()) == {"paramedic"}


async def test_board(console: Console, auth: Auth) -> None:
    async with aiohttp.ClientSession(headers=auth) as session, session.get(f"{console.url}/api/board") as reply:
        assert (await reply.json())["version"] == "0.1.0"


async def test_events_after_a_number(console: Console, auth: Auth) -> None:
    last = len(crash_and_restart())
    async with (
        aiohttp.ClientSession(headers=auth) as session,
        session.get(f"{console.url}/api/events?after={last - 2}") as reply,
    ):
        assert [event["seq"] for event in await reply.json()] == [last - 1, last]


async def test_a_number_that_is_none(console: Console, auth: Auth) -> None:
    async with aiohttp.ClientSession(headers=auth) as session:
        for after in ("-1", "x", "1.5", "9" * 30, "²"):
            async with session.get(f"{console.url}/api/events", params={"after": after}) as reply:
                assert reply.status == 400, after
                assert (await reply.json())["error"] == "after must be the number of an event: a whole number from 0"


async def test_the_stream_gives_the_past_and_then_what_comes(console: Console, auth: Auth) -> None:
    last = len(console.daemon.journal)
    async with (
        aiohttp.ClientSession(headers=auth) as session,
        session.get(f"{console.url}/api/stream?after={last - 1}") as reply,
    ):
        assert reply.content_type == "text/event-stream"
        assert await reply.content.readuntil(b"\n\n") == b": here\n\n"
        first = (await reply.content.readuntil(b"\n\n")).decode().splitlines()
        assert first[0] == f"id: {last}"
        assert json.loads(first[1].removeprefix("data: "))["seq"] == last
        newest = console.daemon.journal[-1]
        console.daemon.journal.append(type(newest)(last + 1, newest.at, None, newest.event))
        console.daemon.news.set()
        second = await asyncio.wait_for(reply.content.readuntil(b"\n\n"), 30)
        assert second.startswith(f"id: {last + 1}\n".encode())


async def test_a_stream_goes_on_where_the_reader_was(console: Console, auth: Auth) -> None:
    last = len(console.daemon.journal)
    headers = auth | {"Last-Event-ID": str(last - 1)}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.get(f"{console.url}/api/stream") as reply,
    ):
        await reply.content.readuntil(b"\n\n")
        assert (await reply.content.readuntil(b"\n\n")).startswith(f"id: {last}\n".encode())


async def test_stopping_ends_the_streams(console: Console, auth: Auth) -> None:
    async with (
        aiohttp.ClientSession(headers=auth) as session,
        session.get(f"{console.url}/api/stream?after=1000") as reply,
    ):
        await reply.content.readuntil(b"\n\n")
        await asyncio.wait_for(console.server.stop(), 30)
        assert await asyncio.wait_for(reply.content.read(), 30) == b""


async def test_approve_and_reject(console: Console, auth: Auth) -> None:
    async with aiohttp.ClientSession(headers=auth) as session:
        url = f"{console.url}/api/actions/ACT-0001"
        async with session.post(url + "/approve", json={"by": " li.wei "}) as reply:
            assert await reply.json() == {"action": "ACT-0001", "status": "approved", "by": "li.wei"}
        async with session.post(url + "/reject", json={"by": "li.wei", "reason": "profiling"}) as reply:
            assert reply.status == 200
    assert console.daemon.done == [("approve", "ACT-0001", "li.wei"), ("reject", "ACT-0001", "li.wei", "profiling")]


async def test_what_the_daemon_refuses_is_told_in_its_words(console: Console, auth: Auth) -> None:
    url = f"{console.url}/api/actions/ACT-9/approve"
    async with aiohttp.ClientSession(headers=auth) as session, session.post(url, json={"by": "x"}) as reply:
        assert (reply.status, await reply.json()) == (409, {"error": "there is no action ACT-9"})


async def test_hold_resume_and_restart(console: Console, auth: Auth) -> None:
    async with aiohttp.ClientSession(headers=auth) as session:
        url = f"{console.url}/api/targets/{QWEN.name}"
        async with session.post(url + "/hold", json={"by": "li", "seconds": 60, "reason": "why"}) as reply:
            assert (reply.status, (await reply.json())["status"]) == (200, "held")
        async with session.post(url + "/resume", json={"by": "li"}) as reply:
            assert (reply.status, (await reply.json())["status"]) == (200, "resumed")
        async with session.post(url + "/restart", json={"by": "li"}) as reply:
            assert (reply.status, (await reply.json())["status"]) == (202, "requested")
        for seconds in ("60", True, [60]):
            async with session.post(url + "/hold", json={"by": "li", "seconds": seconds}) as reply:
                assert (reply.status, await reply.json()) == (400, {"error": "'seconds' must be a number, or null"})
    assert [done[0] for done in console.daemon.done] == ["hold", "resume", "restart"]


async def test_bodies_that_say_nothing(console: Console, auth: Auth) -> None:
    nothing = [b"", b"[]", b"{}", b'{"by": ""}', b'{"by": 1}']
    async with aiohttp.ClientSession(headers=auth) as session:
        for body, status in [(body, 400) for body in nothing] + [(b"x" * 70_000, 413)]:
            async with session.post(f"{console.url}/api/stop", data=body) as reply:
                assert reply.status == status, body[:20]
                assert "error" in await reply.json()
    assert console.daemon.done == []


async def test_stop(console: Console, auth: Auth) -> None:
    async with (
        aiohttp.ClientSession(headers=auth) as session,
        session.post(f"{console.url}/api/stop", json={"by": "root"}) as reply,
    ):
        assert reply.status == 202
    assert console.daemon.done == [("stop", "root")]


async def test_addresses_that_are_none(console: Console, auth: Auth) -> None:
    wrong = [("GET", "/nothing", 404), ("GET", "/api/stop", 405), ("POST", "/api/board", 405)]
    async with aiohttp.ClientSession(headers=auth) as session:
        for method, path, status in wrong:
            async with session.request(method, console.url + path, json={"by": "x"}) as reply:
                assert reply.status == status, path
                assert "error" in await reply.json()


async def test_a_reader_that_leaves_is_noticed(console: Console, auth: Auth, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = asyncio.Event()

    async def wait_for_ever(_after: int, _timeout: float) -> list[Entry]:
        try:
            await asyncio.Event().wait()
        finally:
            gone.set()
        return []

    monkeypatch.setattr(console.daemon, "wait_for_entries", wait_for_ever)
    async with aiohttp.ClientSession(headers=auth) as session:
        reply = await session.get(f"{console.url}/api/stream")
        await reply.content.readuntil(b"\n\n")
        reply.close()
        await asyncio.wait_for(gone.wait(), 30)


async def test_a_quiet_stream_has_a_heartbeat_every_fifteen_seconds() -> None:
    slices: list[float] = []

    class Quiet(PretendDaemon):
        async def wait_for_entries(self, after: int, timeout: float) -> list[Entry]:
            slices.append(timeout)
            return []

    messages = _messages(Quiet(), asyncio.Event(), 0)
    assert [await anext(messages), await anext(messages)] == [": here\n\n"] * 2
    assert sum(slices) == 15
    await messages.aclose()
