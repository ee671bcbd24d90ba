"""What a watcher sees of a real engine's faults is what is kept of it, and so what the practice engine is held to.

The faults of its start are looked at in test_start.py.
"""

import asyncio
import signal
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.real.clients import Clients
from tests.real.engine import API_SERVER, ENGINE_CORE, WORKER, Scratch, find, free_port, go_on, pause
from tests.real.watch import Watch
from tests.views import OBSERVE, check, view

SETTLED = 10.0  # seconds after the diagnosis in which an engine that will end has ended
QUIET = 20.0  # seconds in which what is no fault has to raise nothing


def send(title: str, number: signal.Signals) -> Callable[[int], None]:
    return lambda session: find(session, title).send_signal(number)


BREAK = {
    "engine-core-died": send(ENGINE_CORE, signal.SIGKILL),
    "worker-killed": send(WORKER, signal.SIGKILL),
    "engine-hung": send(ENGINE_CORE, signal.SIGSTOP),
    "api-server-killed": send(API_SERVER, signal.SIGKILL),
}


@dataclass(frozen=True, slots=True)
class Crowd:
    """More than the engine can do at once, and the alert that must tell so."""

    alert: str
    flags: tuple[str, ...]
    clients: int
    max_tokens: int


# 4,096 tokens; the flag given last counts
SMALL_CACHE = ("--max-model-len", "2048", "--kv-cache-memory-bytes", "2M", "--max-num-seqs", "32")
CROWDS = {
    "request-queue-saturated": Crowd("requests-queueing", (), 60, 400),
    "kv-cache-preemption": Crowd("preemptions", SMALL_CACHE, 32, 900),
}


async def observed(scratch: Scratch, *flags: str) -> tuple[Watch, str, int]:
    """A watch that only looks at its engine, the engine's URL, and its session; it serves."""
    port = free_port()
    config = scratch.folder / "paramedic.yaml"
    config.write_text(OBSERVE)
    watch = await Watch.of_engine(scratch, port, *flags, options=("--config", str(config))).start()
    session = await watch.engine()
    await watch.serving()
    return watch, f"http://127.0.0.1:{port}", session


@pytest.mark.parametrize("fault", BREAK)
async def test_broken_while_it_serves(scratch: Scratch, fault: str) -> None:
    watch, url, session = await observed(scratch)
    async with Clients(url, 4) as clients:
        await clients.flowing()
        BREAK[fault](session)
        await watch.wait("DiagnosisMade", 60)
        await asyncio.sleep(SETTLED)
        check(fault, view(url, session, watch.entries))
    await watch.end()


async def test_what_is_no_fault(scratch: Scratch) -> None:
    watch, url, session = await observed(scratch)
    async with Clients(url, 6, max_tokens=500, patience=2.0):
        await asyncio.sleep(QUIET)
        check("clients-disconnect", view(url, session, watch.entries))
    async with Clients(url, 4) as clients:
        await clients.flowing()
        pause(core := find(session, ENGINE_CORE))
        await asyncio.sleep(10)
        go_on(core)
        await clients.flowing()
        await asyncio.sleep(QUIET)
        check("short-stall", view(url, session, watch.entries))
    await watch.end()


async def test_ended_under_open_streams(scratch: Scratch) -> None:
    """In about half of all tries the server ends all the same: then there is nothing to compare."""
    watch, url, session = await observed(scratch)
    async with Clients(url, 3) as clients:
        await clients.flowing()
        find(session, API_SERVER).send_signal(signal.SIGTERM)
        await asyncio.sleep(QUIET)
        seen = view(url, session, watch.entries)
        assert (seen.alert, seen.cause) == ("", "")
        if seen.server == "lives":
            check("server-never-exits-on-sigterm", seen)
    await watch.end()


@pytest.mark.parametrize("fault", CROWDS)
async def test_too_much_is_asked_of_it(scratch: Scratch, fault: str) -> None:
    crowd = CROWDS[fault]
    watch, url, session = await observed(scratch, *crowd.flags)
    async with Clients(url, crowd.clients, max_tokens=crowd.max_tokens):
        alert = await watch.wait("AlertFired", 240, alert__rule=crowd.alert)
        await watch.wait("DiagnosisMade", 30, since=alert["seq"])
        await asyncio.sleep(SETTLED)
        check(fault, view(url, session, watch.entries, alert=crowd.alert))
    await watch.end()
