"""Every clock: it moves forward, and a sleep lasts at least as long as it was asked to."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from paramedic.adapters.clock import SystemClock
from paramedic.ports import Clock
from tests.fakes import FakeClock


@pytest.fixture(params=["system", "fake", "fake-auto"])
def clock(request: pytest.FixtureRequest) -> Clock:
    return {"system": SystemClock, "fake": FakeClock, "fake-auto": lambda: FakeClock(auto=True)}[request.param]()


async def run(clock: Clock, work: Callable[[], Awaitable[None]]) -> None:
    """Let it work; a clock that stands still is moved for as long."""
    task = asyncio.ensure_future(work())
    async with asyncio.timeout(60):
        while not task.done():
            if isinstance(clock, FakeClock) and not clock.auto:
                await clock.advance(0.01)
            else:
                await asyncio.sleep(0.001)
    await task


async def test_a_sleep_lasts_as_long_as_both_clocks_say(clock: Clock) -> None:
    now, monotonic = clock.now(), clock.monotonic()
    await run(clock, lambda: clock.sleep(0.05))
    assert clock.now() - now >= 45_000_000
    assert clock.monotonic() - monotonic >= 0.045


async def test_no_sleep_at_all_still_lets_others_work(clock: Clock) -> None:
    for seconds in (0.0, -1.0):
        async with asyncio.timeout(60):
            await clock.sleep(seconds)


async def test_the_shorter_sleep_ends_first(clock: Clock) -> None:
    order: list[str] = []

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        order.append(name)

    async def both() -> None:
        await asyncio.gather(sleeper("long", 0.5), sleeper("short", 0.01))

    await run(clock, both)
    if isinstance(clock, FakeClock) and clock.auto:  # time that jumps at each sleep has no order of its own
        assert sorted(order) == ["long", "short"]
    else:
        assert order == ["short", "long"]


def test_now_is_utc_nanoseconds_and_monotonic_is_seconds(clock: Clock) -> None:
    assert 1_600_000_000 < clock.now() / 1e9 < 4_000_000_000
    first = clock.monotonic()
    assert clock.monotonic() >= first


def test_a_fake_clock_that_is_set_lets_no_second_pass() -> None:
    clock = FakeClock()
    now, before = clock.now(), clock.monotonic()
    clock.set(-3600)
    assert (clock.now() - now, clock.monotonic()) == (-3600 * 10**9, before)
