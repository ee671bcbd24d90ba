"""The one crash barrier: a unit of work that fails in an unforeseen way is written down, and the others go on."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from paramedic.journal.events import WorkFailed
from paramedic.pipeline.world import Recorder
from paramedic.ports import Clock

_TELL_AGAIN_NS = 600_000_000_000  # the same failure again and again is one line in ten minutes


class Barrier:
    """Every rule, target, diagnosis, action and delivery runs inside one of these."""

    def __init__(self, recorder: Recorder, clock: Clock) -> None:
        self._recorder = recorder
        self._clock = clock

    @contextmanager
    def around(self, work: str) -> Iterator[None]:
        """For work that does not wait."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 (here, and nowhere else)
            self._tell(work, error)

    @asynccontextmanager
    async def around_task(self, work: str) -> AsyncIterator[None]:
        """For work that waits; being cancelled is no failure."""
        try:
            yield
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001
            self._tell(work, error)

    def _tell(self, work: str, error: Exception) -> None:
        text = f"{type(error).__name__}: {error}"[:500]
        last = self._recorder.view.failures.get(work)
        if last is None or last[1] != text or self._clock.now() - last[0] > _TELL_AGAIN_NS:
            self._recorder.record(WorkFailed(work, text))
