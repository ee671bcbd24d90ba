"""A day in virtual time on the real stores and the real rules: quiet, bounded, and not upset by what may happen."""

import shutil
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import psutil
import pytest

from paramedic.adapters.storage.journal_sqlite import SqliteJournal
from paramedic.adapters.storage.journal_waiting import WaitingJournal
from paramedic.adapters.storage.samples_sqlite import SqliteSamples
from paramedic.journal import events as e
from paramedic.model.target import EngineState, Role
from tests.integration.full_disk import SmallDisk, small_disk
from tests.long.day import HOUR, DayEngine
from tests.unit.pipeline.rig import INTERVAL, NAME, URL, Engine, Rig
from tests.unit.pipeline.test_cycle import begin

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]

TICKS = 17_280
DAY = TICKS * INTERVAL
MOST_MEGABYTES = 40  # of a day of one engine on the disk
MOST_GROWTH = 40  # megabytes of memory, from the third hour on
PRUNE_EVERY = 600.0


class Day:
    """A rig over a folder; `run` lets time pass in steps of a tick."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.journal = WaitingJournal(SqliteJournal(folder / "journal.db"))
        self.samples = SqliteSamples(folder / "samples")
        self.rig = Rig(journal=self.journal, samples=self.samples)  # type: ignore[arg-type]
        self.rig.start_engine()
        self.engine = self.rig.engines[URL] = DayEngine()
        self._next_prune = PRUNE_EVERY

    async def run(self, seconds: float) -> None:
        clock = self.rig.clock
        for _ in range(round(seconds / INTERVAL)):
            await clock.advance(INTERVAL)
            if clock.monotonic() >= self._next_prune:
                self._next_prune += PRUNE_EVERY
                self.samples.prune(clock.now())

    def megabytes(self) -> float:
        found = [p.stat().st_size for p in self.folder.rglob("*") if p.is_file() and p.name != "ballast"]
        return sum(found) / 1e6

    async def end(self) -> None:
        await self.rig.end()
        self.samples.close()
        self.journal.close()


@pytest.fixture(autouse=True)
def no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    async def at_once(work: Callable[..., object], *arguments: object) -> object:
        return work(*arguments)

    monkeypatch.setattr("asyncio.to_thread", at_once)


@pytest.fixture
async def day(tmp_path: Path) -> AsyncIterator[Day]:
    day = Day(tmp_path)
    yield day
    await day.end()


def memory() -> float:
    return float(psutil.Process().memory_info().rss) / 1e6


async def still_on_duty(day: Day) -> None:
    """An engine that dies now is noticed and brought back."""
    rig = day.rig
    rig.supervisor.on_start = lambda target, run, server: rig.engines.update({target.url: Engine()})
    rig.processes.end(rig.pid_of(Role.ENGINE_CORE), signal=9)
    day.engine.dead = True
    await rig.run_until(lambda: bool(rig.events(e.IncidentResolved)), 120, "brought back")
    assert rig.target().run == 2


async def test_a_day_is_quiet_and_bounded(day: Day) -> None:
    rig = day.rig
    begin(rig)
    began = time.monotonic()
    await day.run(2 * HOUR)
    settled = memory()
    await day.run(DAY - 2 * HOUR)
    wall, grown = time.monotonic() - began, memory() - settled
    print(
        f"\n{TICKS} ticks in {wall:.0f} s ({wall / TICKS * 1e3:.1f} ms each), {day.megabytes():.0f} MB, +{grown:.0f} MB"
    )
    assert rig.events(e.AlertFired) == []
    assert rig.events(e.WorkFailed) == []
    assert rig.events(e.DaemonWasLate) == []
    assert [event.after for event in rig.events(e.StateChanged)] == [EngineState.SERVING]
    assert grown < MOST_GROWTH
    assert day.megabytes() < MOST_MEGABYTES
    await still_on_duty(day)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk", 2 * MOST_MEGABYTES) as disk:
        yield disk


async def test_a_bad_day_raises_nothing_false(disk: SmallDisk) -> None:
    day = Day(disk.path)
    rig = day.rig
    try:
        begin(rig)
        await day.run(8 * HOUR)
        disk.fill()
        await day.run(HOUR)
        assert {event.work for event in rig.events(e.WorkFailed)} == {"journal", "samples"}
        assert day.journal.unwritten > 0
        disk.empty()
        await day.run(60)
        assert (day.journal.unwritten, day.samples.last_error) == (0, "")
        await day.run(4 * HOUR)
        rig.clock.set(-HOUR)
        await day.run(4 * HOUR)
        assert [event.seconds for event in rig.events(e.ClockWasSet)] == [-HOUR]
        rig.clock.step(300)
        await day.run(6 * HOUR)
        assert [event.seconds for event in rig.events(e.DaemonWasLate)] == [pytest.approx(300, abs=10)]
        assert rig.events(e.AlertFired) == []
        assert [event.after for event in rig.events(e.StateChanged)] == [EngineState.SERVING]
        await still_on_duty(day)
        assert rig.state(NAME) is EngineState.SERVING
        numbers = [entry.seq for entry in day.journal.read()]
        assert numbers == list(range(1, len(numbers) + 1))
    finally:
        await day.end()
        shutil.rmtree(disk.path / "samples")
