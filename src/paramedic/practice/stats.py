"""The line of figures that the server writes every ten seconds while tokens move."""

import asyncio

from paramedic.practice.engine_client import EngineClient, Rank
from paramedic.practice.log import Log

INTERVAL_SECONDS = 10.0


class Stats:
    """One line an interval and engine core; after the last tokens one line of zeros, then silence."""

    def __init__(self, engine: EngineClient, log: Log) -> None:
        self.log = log
        self._lines = [RankStats(rank) for rank in engine.ranks]

    async def run(self) -> None:
        while True:
            await asyncio.sleep(INTERVAL_SECONDS)
            self.tick()

    def tick(self) -> None:
        """The end of an interval."""
        for line in self._lines:
            if values := line.tick():
                self.log.write("stats", **values)


class RankStats:
    """What was counted at the end of the last interval, for one engine core."""

    def __init__(self, rank: Rank) -> None:
        self.rank = rank
        self._before = dict(rank.tokens)
        self._moved = False

    def tick(self) -> dict[str, object]:
        """The figures of the line, none where it is left out."""
        rank = self.rank
        rates = {name: (count - self._before[name]) / INTERVAL_SECONDS for name, count in rank.tokens.items()}
        self._before = dict(rank.tokens)
        moved, moved_before = any(rates.values()), self._moved
        self._moved = moved
        if not moved and not moved_before:
            return {}
        return {
            **{name: f"{rate:.1f}" for name, rate in rates.items()},
            "engine": f"{rank.process.rank:03d}",
            "running": rank.state.running,
            "waiting": rank.state.waiting,
            "kv": f"{100 * rank.state.kv_usage:.1f}",
        }
