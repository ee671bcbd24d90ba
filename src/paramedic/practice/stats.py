"""The line of figures that the server writes every ten seconds while tokens move."""

import asyncio

from paramedic.practice.engine_client import EngineClient
from paramedic.practice.log import Log

INTERVAL_SECONDS = 10.0


class Stats:
    """One line an interval; after the last tokens one line of zeros, then silence."""

    def __init__(self, engine: EngineClient, log: Log) -> None:
        self.engine = engine
        self.log = log
        self._before = dict(engine.tokens)
        self._moved = False

    async def run(self) -> None:
        while True:
            await asyncio.sleep(INTERVAL_SECONDS)
            self.tick()

    def tick(self) -> None:
        """The end of an interval."""
        rates = {name: (count - self._before[name]) / INTERVAL_SECONDS for name, count in self.engine.tokens.items()}
        self._before = dict(self.engine.tokens)
        moved = any(rates.values())
        if moved or self._moved:
            self.log.write(
                "stats",
                **{name: f"{rate:.1f}" for name, rate in rates.items()},
                running=self.engine.state.running,
                waiting=self.engine.state.waiting,
                kv=f"{100 * self.engine.state.kv_usage:.1f}",
            )
        self._moved = moved
