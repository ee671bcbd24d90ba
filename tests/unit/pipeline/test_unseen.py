"""What Paramedic did not see, or saw by a clock that was set, counts for nothing; and a full disk ends nothing."""

from collections.abc import Callable

import pytest

from paramedic.journal import events as e
from paramedic.journal.codec import Entry
from paramedic.journal.events import Event
from paramedic.model.errors import CouldNotTell
from paramedic.model.target import EngineState, Role
from tests.unit.pipeline.rig import NAME, URL, Rig
from tests.unit.pipeline.test_cycle import begin, kill_core, resolved, serving

State = EngineState
HOUR = 3600


@pytest.mark.parametrize("by", [-HOUR, HOUR])
async def test_a_clock_that_is_set_is_said_and_raises_nothing(rig: Rig, by: float) -> None:
    await serving(rig)
    rig.clock.set(by)
    await rig.run(120)
    assert [event.seconds for event in rig.events(e.ClockWasSet)] == [by]
    assert rig.events(e.AlertFired) == []
    assert rig.events(e.WorkFailed) == []
    assert rig.state() is State.SERVING


@pytest.mark.parametrize("by", [-HOUR, HOUR])
async def test_an_incident_goes_on_when_the_clock_is_set_in_its_middle(rig: Rig, by: float) -> None:
    await serving(rig)
    kill_core(rig)
    await rig.run_until(lambda: bool(rig.events(e.ActionStarted)), 20, "a restart begins")
    rig.clock.set(by)
    await resolved(rig)
    assert len(rig.events(e.ActionStarted)) == 1
    assert len(rig.events(e.DiagnosisMade)) <= 2, rig.story()
    assert len(rig.events(e.AlertFired)) == 1, rig.story()


@pytest.mark.parametrize("by", [-HOUR, HOUR])
async def test_a_hang_is_confirmed_by_seconds_that_passed(rig: Rig, by: float) -> None:
    await serving(rig)
    rig.engines[URL].moving = False
    await rig.run_until(lambda: rig.state() is State.SILENT, 60, "silent")
    silent_at = rig.clock.monotonic()
    rig.clock.set(by)
    await rig.run_until(lambda: bool(rig.events(e.ActionStarted)), 60, "a restart begins")
    assert 5 < rig.clock.monotonic() - silent_at < 30


async def test_the_back_off_is_not_an_hour_longer(rig: Rig) -> None:
    await serving(rig)
    for _ in range(2):
        kill_core(rig)
        before = len(rig.events(e.ActionRequested))
        await rig.run_until(lambda: len(rig.events(e.ActionRequested)) > before, 30, "asked for")  # noqa: B023
        rig.clock.set(-HOUR)
        finished = len(rig.events(e.ActionFinished))
        await rig.run_until(lambda: len(rig.events(e.ActionFinished)) > finished, 60, "done")  # noqa: B023
        await rig.run_until(lambda: rig.state() is State.SERVING, 30, "serving")


@pytest.mark.parametrize("seconds", [30.0, 300.0, 4000.0])
async def test_while_it_was_stopped_no_alert_was_over_and_none_began(rig: Rig, seconds: float) -> None:
    rig.start_engine("seen@127.0.0.1:8001", "http://127.0.0.1:8001", by_us=False)
    await serving(rig)
    kill_core(rig, "seen@127.0.0.1:8001")
    await rig.run_until(lambda: len(rig.events(e.AlertFired)) == 1, 60, "the other one's alert")
    rig.clock.step(seconds)
    await rig.run(60)
    assert [event.seconds for event in rig.events(e.DaemonWasLate)] == [pytest.approx(seconds, abs=6)]
    assert rig.events(e.AlertResolved) == []
    assert len(rig.events(e.AlertFired)) == 1
    assert rig.state(NAME) is State.SERVING


async def test_what_must_hold_for_a_minute_must_be_seen_for_a_minute(rig: Rig) -> None:
    await serving(rig)
    server = rig.pid_of(Role.API_SERVER)
    rig.engines[URL].deaf = True

    async def busy_until(condition: Callable[[], bool], what: str) -> None:
        for second in range(400):
            if condition():
                return
            rig.processes.change(server, cpu_seconds=rig.clock.monotonic() + second)
            await rig.run(1)
        raise AssertionError(f"{what}: never\n{rig.story()}")

    await busy_until(lambda: rig.state() is State.UNRESPONSIVE, "unresponsive")
    began = rig.clock.monotonic()
    await rig.run(10)
    rig.clock.step(300)
    await busy_until(lambda: bool(rig.events(e.AlertFired)), "the alert")
    assert rig.events(e.AlertFired)[0].alert.rule == "server-unresponsive"
    assert 50 < rig.clock.monotonic() - began - 300 < 75


# A full disk


def fill_the_disk(rig: Rig, *, full: bool) -> None:
    """The journal keeps what it is given in memory, and says so."""
    rig.journal.trouble = "database or disk is full" if full else ""
    rig.journal.unwritten = 1 if full else 0


async def test_on_a_full_disk_it_says_so_and_restarts_nothing_until_it_can_write(rig: Rig) -> None:
    await serving(rig)
    fill_the_disk(rig, full=True)
    rig.samples.last_error = "samples are kept in memory only"
    kill_core(rig)
    await rig.run(60)
    told = {event.work: event.error for event in rig.events(e.WorkFailed)}
    assert told.keys() == {"journal", "samples"}
    assert "disk is full" in told["journal"]
    assert rig.events(e.AlertFired) != []
    assert rig.events(e.ActionRequested) != []
    assert rig.events(e.ActionStarted) == []
    fill_the_disk(rig, full=False)
    await resolved(rig)
    assert len(rig.events(e.ActionStarted)) == 1


async def test_a_journal_that_takes_nothing_more_ends_no_watching(rig: Rig) -> None:
    await serving(rig)
    append = rig.journal.append

    def refuse(at: int, events: list[tuple[Event, int | None]]) -> list[Entry]:
        raise CouldNotTell("10000 events wait already")

    rig.journal.append = refuse  # type: ignore[method-assign, assignment]
    kill_core(rig)
    await rig.run(30)
    rig.journal.append = append  # type: ignore[method-assign]
    await resolved(rig)
    assert len(rig.events(e.ActionStarted)) == 1
    assert rig.state() is State.SERVING


async def test_a_daemon_that_begins_in_the_middle_of_it_goes_on_with_the_same_times(rig: Rig) -> None:
    await serving(rig)
    rig.clock.set(-HOUR)
    await rig.run(10)
    await rig.end()
    rig.tasks.clear()
    rig.world = rig.new_world()
    begin(rig)
    await rig.run(30)
    assert len(rig.events(e.ClockWasSet)) == 1
    assert rig.events(e.AlertFired) == []
