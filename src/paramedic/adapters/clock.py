"""The machine's clock."""

import asyncio
import time


class SystemClock:
    """Time as the operating system tells it."""

    def now(self) -> int:
        """UTC nanoseconds."""
        return time.time_ns()

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
