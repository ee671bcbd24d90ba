"""kill -9 of `paramedic watch` beside a real engine: the next one takes it over, whatever the moment was."""

import asyncio
import os
import random
import time

import pytest

from tests.integration.killing import journal_of, sessions
from tests.real.clients import Clients
from tests.real.engine import API_SERVER, ENGINE_CORE, Scratch, find, free_port, members
from tests.real.watch import Watch

SEED = int(os.environ.get("PARAMEDIC_TEST_SEED", time.time_ns() % 10_000))


async def kill(watch: Watch) -> None:
    watch.process.kill()
    await watch.process.wait()


async def run_of(watch: Watch, number: int, within: float) -> int:
    """The session of this run, whichever watch wrote it down."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        for entry in journal_of(watch.data):
            if entry["type"] == "EngineSeen" and entry["run"] == number:
                return int(entry["process"]["pid"])
        await asyncio.sleep(0.2)
    raise AssertionError(f"no run {number} within {within:.0f} s\n{watch.story()}")


@pytest.mark.timeout(1200)
async def test_killed_three_times_nothing_is_lost_or_done_twice(scratch: Scratch) -> None:
    print(f"seed {SEED}")
    moment = random.Random(SEED)
    port = free_port()
    watches = [await Watch.of_engine(scratch, port).start()]

    async def next_watch() -> Watch:
        await kill(watches[-1])
        watches.append(await Watch.of_engine(scratch, port).start())
        return watches[-1]

    session = await watches[0].engine()
    await watches[0].serving()
    server = find(session, API_SERVER)
    async with Clients(f"http://127.0.0.1:{port}", 4) as clients:
        await clients.flowing()

        watch = await next_watch()  # while it serves
        await watch.wait("DaemonStarted", 60)
        await clients.flowing()
        await watch.no_restart(10)
        assert find(session, API_SERVER) == server

        find(session, ENGINE_CORE).kill()
        await asyncio.sleep(moment.uniform(0, 3))
        watch = await next_watch()  # somewhere between the death and the new start
        second = await run_of(watch, 2, 60)
        assert members(session) == []

        await asyncio.sleep(moment.uniform(1, 20))
        watch = await next_watch()  # in the middle of that start
        await watch.serving(run=2)
        scratch.sessions.add(second)
        assert sessions(scratch.data) == {second}
        await clients.flowing()
        await watch.wait("IncidentResolved", 90)
    await watch.end()

    journal = journal_of(scratch.data)
    kept = {entry["seq"]: entry for entry in journal}
    assert all(kept.get(told["seq"]) == told for one in watches for told in one.entries), "told and not kept"
    done = [(e["type"], e["action"]) for e in journal if e["type"] in ("ActionStarted", "ActionFinished")]
    assert len(done) == len(set(done)) == 2, done
    assert [e["run"] for e in journal if e["type"] == "EngineSeen"] == [1, 2]
