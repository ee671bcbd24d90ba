"""The one crash barrier: a unit of work that fails in an unforeseen way is written down, and the others go on."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from paramedic.journal.events import WorkFailed
from paramedic.model.errors import ParamedicError
from paramedic.pipeline.world import Recorder
from paramedic.ports import Clock

log = logging.getLogger(__name__)

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
        try:
            self.tell(work, f"{type(error).__name__}: {error}"[:500])
        except ParamedicError as refused:  # the journal takes nothing more: the work goes on all the same
            log.error("%s failed: %s; %s", work, error, refused)

    def tell(self, work: str, text: str) -> None:
        """Write down a trouble; the same one again within ten minutes is not."""
        last = self._recorder.view.failures.get(work)
        if last is None or last[1] != text or self._clock.now() - last[0] > _TELL_AGAIN_NS:
            self._recorder.record(WorkFailed(work, text))
