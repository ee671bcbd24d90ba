"""A real engine is killed: seen at once, named rightly, brought back where it is ours."""

import asyncio
import os
import signal
import time
from typing import Any

import pytest

from tests.real.clients import Clients, first_token
from tests.real.engine import (
    API_SERVER,
    ENGINE_CORE,
    WORKER,
    BareEngine,
    Scratch,
    find,
    free_port,
    members,
    ready,
    started_at,
)
from tests.real.stalls import Stalls
from tests.real.watch import Watch, ask

SECOND = 10**9
OVERHEAD = 5.0  # seconds that Paramedic may add to the engine's own start


async def kill(pid: int) -> int:
    """kill -9; the UTC nanoseconds of it."""
    at = time.time_ns()
    os.kill(pid, signal.SIGKILL)
    return at


def seen_after(event: dict[str, Any], killed_at: int, stalls: Stalls) -> float:
    """Seconds from the kill to the event, without those in which the machine stood still."""
    seen_at = int(event["at"])
    return (seen_at - killed_at) / SECOND - stalls.between(killed_at / SECOND, seen_at / SECOND)


async def comes_back(watch: Watch, url: str, killed_at: int, session: int, stalls: Stalls) -> None:
    """The second run serves, nothing of the first is left, and Paramedic added at most OVERHEAD.

    Where the machine itself stood still meanwhile, that is not Paramedic's.
    """
    second = await watch.engine(run=2)
    assert members(session) == [], "something of the first run lived when the second was started"
    spawned = started_at(second)
    ready_at = await ready(url, second)
    token_at = await first_token(url)
    whole, start = token_at - killed_at / SECOND, ready_at - spawned
    stood_still = stalls.between(killed_at / SECOND, spawned) + stalls.between(ready_at, token_at)
    added = whole - start - stood_still
    print(
        f"kill to first token {whole:.1f} s, of which start {start:.1f} s, ours {added:.2f} s, "
        f"machine stood still {stood_still:.2f} s"
    )
    assert added <= OVERHEAD, watch.story()
    await watch.serving(run=2, within=30)


@pytest.mark.parametrize("victim", [pytest.param(ENGINE_CORE, marks=pytest.mark.smoke), WORKER])
async def test_killed_under_streams(scratch: Scratch, stalls: Stalls, victim: str) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    watch = await Watch.of_engine(scratch, port).start()
    session = await watch.engine()
    await watch.serving()
    async with Clients(url, 8) as clients:
        await clients.flowing()
        process = find(session, victim)
        killed_at = await kill(process.pid)
        ended = await watch.wait("ProcessEnded", 30, exit__pid=process.pid)
        assert seen_after(ended, killed_at, stalls) < 1.0, watch.story()
        await comes_back(watch, url, killed_at, session, stalls)
        await clients.flowing()
    diagnosis = await watch.wait("DiagnosisMade", 30)
    assert diagnosis["diagnosis"]["findings"][0]["cause"] == "engine-core-died", watch.story()
    await watch.wait("IncidentResolved", 90)
    assert len(watch.seen("EngineSeen")) == 2

    for question in (["incidents"], ["explain", diagnosis["incident"]]):
        assert diagnosis["incident"] in str(await ask(scratch, *question))
    await watch.end()
    assert members(session) == []


async def test_api_server_killed_leaves_orphans_that_are_ended_first(scratch: Scratch, stalls: Stalls) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    watch = await Watch.of_engine(scratch, port).start()
    session = await watch.engine()
    await watch.serving()
    async with Clients(url, 4) as clients:
        await clients.flowing()
        killed_at = await kill(find(session, API_SERVER).pid)
        await comes_back(watch, url, killed_at, session, stalls)
    diagnosis = await watch.wait("DiagnosisMade", 30)
    causes = {finding["cause"] for finding in diagnosis["diagnosis"]["findings"][:2]}
    assert causes & {"orphan-workers-hold-gpu", "api-server-killed"}, watch.story()
    await watch.end()


async def test_a_found_engine_is_seen_at_once_and_left_alone(scratch: Scratch, stalls: Stalls) -> None:
    engine = BareEngine(scratch)
    session = await engine.start()
    watch = await Watch(scratch, "--no-practice").start()
    added = await watch.wait("TargetAdded", 30, target__url=engine.url)
    name = added["target"]["name"]
    await watch.wait("StateChanged", 30, target=name, after="serving")
    async with Clients(engine.url, 4) as clients:
        await clients.flowing()
        core = find(session, ENGINE_CORE)
        killed_at = await kill(core.pid)
        ended = await watch.wait("ProcessEnded", 30, exit__pid=core.pid)
        assert seen_after(ended, killed_at, stalls) < 1.0, watch.story()
        incident = await watch.wait("IncidentOpened", 30, target=name)
        diagnosis = await watch.wait("DiagnosisMade", 30, incident=incident["incident"])
        assert diagnosis["diagnosis"]["findings"][0]["cause"] == "engine-core-died", watch.story()
        await watch.no_restart(30)
    await watch.end()


async def test_by_url_alone_it_is_seen_within_15_seconds(scratch: Scratch) -> None:
    engine = BareEngine(scratch)
    session = await engine.start()
    watch = await Watch(scratch, "--no-discovery", "--no-practice", "--target", engine.url).start()
    await watch.wait("StateChanged", 30, after="serving")
    async with Clients(engine.url, 4) as clients:
        await clients.flowing()
        killed_at = await kill(find(session, ENGINE_CORE).pid)
        alert = await watch.wait("AlertFired", 30, alert__rule={"engine-dead", "server-down"})
        assert alert["at"] - killed_at < 15 * SECOND, watch.story()
    await watch.end()


async def test_ended_by_a_person_it_stays_down(scratch: Scratch) -> None:
    port = free_port()
    watch = await Watch.of_engine(scratch, port).start()
    session = await watch.engine()
    await watch.serving()
    await asyncio.sleep(10)  # a few looks at a quiet engine
    find(session, API_SERVER).send_signal(signal.SIGTERM)
    await watch.wait("StateChanged", 60, after="stopped")
    await watch.no_restart(45)
    await watch.end()
