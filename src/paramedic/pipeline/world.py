"""What the pipeline works with: the ports, the journal's pen, and the view."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from paramedic.journal.codec import Entry
from paramedic.journal.events import ClockWasSet, Event
from paramedic.journal.fold import apply
from paramedic.journal.views import TargetView, View
from paramedic.ports import Clock, JournalStore, LogSource, Probe, ProcessTable, SampleStore, Supervisor

CLOCK_STEP = 5.0  # seconds; less is what time synchronisation does every day


class Recorder:
    """The only pen of the journal: what it writes is on the disk, folded into the view, and told to all who wait."""

    def __init__(self, clock: Clock, store: JournalStore, view: View) -> None:
        self._clock = clock
        self._store = store
        self._news = asyncio.Condition()
        self._telling: asyncio.Task[None] | None = None
        self._offset = self._clock_offset() or 0.0
        self.view = view

    def record(self, event: Event, because: int | None = None) -> Entry:
        return self.record_all([(event, because)])[0]

    def record_all(self, events: Sequence[tuple[Event, int | None]]) -> list[Entry]:
        """Write events, all or none."""
        if not events:
            return []
        self.note_clock()
        return self._write(events)

    def _write(self, events: Sequence[tuple[Event, int | None]]) -> list[Entry]:
        entries = self._store.append(self._clock.now(), events)
        for entry in entries:
            apply(self.view, entry)
        if self._telling is None or self._telling.done():
            self._telling = asyncio.get_running_loop().create_task(self._tell())
        return entries

    @property
    def trouble(self) -> str:
        """Why events wait in memory; "" when all are on the disk."""
        return self._store.trouble if self._store.unwritten else ""

    def write_those_that_wait(self) -> None:
        if self._store.unwritten:
            self._store.append(self._clock.now(), ())

    def note_clock(self) -> None:
        """Say when the machine's clock was set: whatever is counted by it goes on from there."""
        offset = self._clock_offset()
        if offset is None:
            return
        moved, self._offset = offset - self._offset, offset
        if abs(moved) >= CLOCK_STEP:
            self._write([(ClockWasSet(round(moved)), None)])

    def _clock_offset(self) -> float | None:
        """Seconds of the machine's clock before those that never go back; None: stopped while looking."""
        before = self._clock.monotonic()
        now = self._clock.now()
        return now / 1e9 - before if self._clock.monotonic() - before < 1.0 else None

    def entries(self, after: int) -> list[Entry]:
        return list(self._store.read(after))

    async def wait_for_entries(self, after: int, timeout: float) -> list[Entry]:
        """The entries above `after`, as soon as there is one; none when `timeout` seconds pass first."""
        if self.view.last_seq <= after:
            await first_of(self._news_above(after), self._clock.sleep(timeout))
        return self.entries(after) if self.view.last_seq > after else []

    async def _news_above(self, after: int) -> None:
        async with self._news:
            await self._news.wait_for(lambda: self.view.last_seq > after)

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()


async def first_of(*waits: Coroutine[Any, Any, object]) -> None:
    """Return when the first of these has; the others are cancelled."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@dataclass(frozen=True, slots=True)
class World:
    """The ports of one daemon, and what is known through them."""

    clock: Clock
    recorder: Recorder
    samples: SampleStore
    probe: Probe
    processes: ProcessTable
    supervisor: Supervisor
    open_log: Callable[[str], LogSource]

    @property
    def view(self) -> View:
        return self.recorder.view

    def lives(self, target: TargetView) -> bool | None:
        """Whether the API server of its last run, as far as it is written down, is there; None: could not look."""
        if target.process is None:
            return False
        tree = self.processes.tree(target.process)
        return None if tree is None else any(p.pid == target.process.pid for p in tree)
