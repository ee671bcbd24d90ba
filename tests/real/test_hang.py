"""A real engine stands still: a hang is found and ended, everything that only looks like one is left alone."""

import asyncio
import time

import aiohttp

from tests.real.clients import FOR_EVER, Clients, first_token, post
from tests.real.engine import ENGINE_CORE, Scratch, find, free_port, go_on, members, pause
from tests.real.watch import Watch

SECOND = 10**9


async def test_a_stopped_core_under_load_is_found_and_restarted(scratch: Scratch) -> None:
    port = free_port()
    watch = await Watch.of_engine(scratch, port).start()
    session = await watch.engine()
    await watch.serving()
    async with Clients(f"http://127.0.0.1:{port}", 4) as clients:
        await clients.flowing()
        stopped_at = time.time_ns()
        pause(find(session, ENGINE_CORE))
        alert = await watch.wait("AlertFired", 60, alert__rule="engine-silent")
        assert alert["at"] - stopped_at < 30 * SECOND, watch.story()
        diagnosis = await watch.wait("DiagnosisMade", 30)
        assert diagnosis["diagnosis"]["findings"][0]["cause"] == "engine-hung", watch.story()
        await watch.engine(run=2)
        assert members(session) == []
        await watch.serving(run=2)
        await clients.flowing()
    await watch.end()


async def test_a_stall_of_20_seconds_is_no_reason_to_restart(scratch: Scratch) -> None:
    port = free_port()
    watch = await Watch.of_engine(scratch, port).start()
    session = await watch.engine()
    await watch.serving()
    async with Clients(f"http://127.0.0.1:{port}", 4) as clients:
        await clients.flowing()
        core = find(session, ENGINE_CORE)
        pause(core)
        await watch.no_restart(20)
        go_on(core)
        await clients.flowing()
        await watch.no_restart(45)
    await watch.end()


async def test_a_long_prefill_is_work(scratch: Scratch) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    watch = await Watch.of_engine(scratch, port, "--no-enable-prefix-caching").start()
    await watch.serving()
    # 40 s each on two cores, without one token meanwhile
    prompts = [[5 + (place * (client + 1)) % 300 for place in range(60_000)] for client in range(2)]

    async def answer(session: aiohttp.ClientSession, prompt: list[int]) -> int:
        ask = {"model": "tiny", "prompt": prompt, "max_tokens": 1}
        async with session.post(f"{url}/v1/completions", json=ask) as reply:
            return reply.status

    began = time.monotonic()
    async with aiohttp.ClientSession(timeout=FOR_EVER) as session:
        answers = asyncio.gather(*(answer(session, prompt) for prompt in prompts))
        while not answers.done():
            await watch.no_restart(1)
        assert set(await answers) == {200}
    print(f"{len(prompts)} prompts of 60,000 tokens took {time.monotonic() - began:.0f} s")
    await watch.no_restart(20)
    await watch.end()


async def test_paused_or_asleep_on_purpose(scratch: Scratch) -> None:
    """Needs the engine's development endpoints. Real sleep levels need a GPU; level 0 pauses the scheduler alone."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    watch = await Watch.of_engine(scratch, port, environment={"VLLM_SERVER_DEV_MODE": "1"}).start()
    await watch.serving()
    async with Clients(url, 4) as clients:
        for down, up in (("/pause?mode=keep", "/resume"), ("/sleep?level=0&mode=keep", "/wake_up")):
            await clients.flowing()
            assert await post(url + down) == 200
            await watch.no_restart(60)
            assert await post(url + up) == 200
            await clients.flowing()
    await watch.no_restart(20)
    await watch.end()


async def test_overload_is_told_and_not_restarted(scratch: Scratch) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    watch = await Watch.of_engine(scratch, port, "--max-num-seqs", "2").start()
    await watch.serving()
    async with Clients(url, 300, max_tokens=400):
        began = time.monotonic()
        await watch.wait("AlertFired", 180, alert__rule="requests-queueing")
        await watch.no_restart(max(180 - (time.monotonic() - began), 1))
    await first_token(url, within=60)
    await watch.no_restart(20)
    await watch.end()
