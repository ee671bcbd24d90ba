"""A clock that stands still until a test moves it."""

import asyncio

SECOND = 1_000_000_000


class FakeClock:
    """Virtual time. With `auto` every sleep moves the time at once; else `advance` does."""

    def __init__(self, now: int = 1_700_000_000 * SECOND, *, auto: bool = False) -> None:
        self.auto = auto
        self._now = now
        self._start = now
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._count = 0
        self._set_by = 0

    def now(self) -> int:
        return self._now + self._set_by

    def set(self, seconds: float) -> None:
        """Somebody sets the machine's clock, back when below zero; no second passes."""
        self._set_by += round(seconds * SECOND)

    def monotonic(self) -> float:
        return (self._now - self._start) / SECOND

    async def sleep(self, seconds: float) -> None:
        if self.auto:
            self._now += max(0, round(seconds * SECOND))
            await asyncio.sleep(0)
            return
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        self._count += 1
        woken = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._now + round(seconds * SECOND), self._count, woken))
        await woken

    def step(self, seconds: float) -> None:
        """Move the time and wake nobody."""
        self._now += round(seconds * SECOND)

    async def advance(self, seconds: float) -> None:
        """Move the time; whoever's sleep ends on the way wakes at its own moment, in order."""
        await settle()
        end = self._now + round(seconds * SECOND)
        while self._sleepers:
            self._sleepers.sort(key=lambda sleeper: sleeper[:2])
            due, _, woken = self._sleepers[0]
            if due > end:
                break
            self._sleepers.pop(0)
            self._now = max(self._now, due)
            if not woken.done():
                woken.set_result(None)
            await settle()
        self._now = end


async def settle() -> None:
    """Let every task that can run do so until it waits again."""
    for _ in range(20):
        await asyncio.sleep(0)
