"""Samples that live as long as the process: for tests, and where nothing may be written."""

from collections.abc import Sequence

from paramedic.adapters.storage.samples_ring import Ring, merged
from paramedic.model.sample import Scrape
from paramedic.signals.series import Matcher, Series

NS_PER_MS = 1_000_000
DAY_MS = 24 * 3600 * 1000


class MemorySamples:
    """A SampleStore without a disk; what is older than `retention_ms` before the newest sample is forgotten."""

    def __init__(self, retention_ms: int = DAY_MS) -> None:
        self._ring = Ring(retention_ms)
        self.last_error = ""

    def append(self, scrape: Scrape) -> None:
        self._ring.append(scrape.source, scrape.at // NS_PER_MS, scrape.series, scrape.values)

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Series]:
        return merged(self._ring.select(matchers, start_ms, end_ms))

    def prune(self, now_ns: int) -> None:
        """The ring forgets by itself."""

    def close(self) -> None:
        """Nothing to do."""
