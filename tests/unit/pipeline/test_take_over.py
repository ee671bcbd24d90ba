"""Paramedic is killed at every point of an incident, and the next one goes on: never two engines, never none."""

from collections.abc import Sequence

import pytest

from paramedic.adapters.storage.journal_memory import MemoryJournal
from paramedic.journal import events as e
from paramedic.journal.codec import Entry
from paramedic.model.action import Outcome
from paramedic.model.target import EngineProcess, EngineState, Target
from paramedic.model.text import as_written
from paramedic.pipeline.take_over import take_over
from tests.unit.pipeline.rig import NAME, URL, Engine, Rig
from tests.unit.pipeline.test_cycle import begin, kill_core, serves_after, serving

State = EngineState
ENTRIES = 24  # of an incident, from the end of its engine's core to the end of the incident: more than there are
STOPPING = "INFO 01-01 00:00:00 [launcher.py:122] Shutting down FastAPI HTTP server."


class KillError(BaseException):
    """The power is cut: nothing that follows in this task is done."""


class Mortal(MemoryJournal):
    """A journal that ends Paramedic at its entry number `at`: just after it is on the disk, or just before."""

    def __init__(self, entries: list[Entry], at: int, *, before: bool) -> None:
        super().__init__()
        self._entries = entries
        self._at = at
        self._before = before
        self.cut = False

    def append(self, at: int, events: Sequence[tuple[e.Event, int | None]]) -> list[Entry]:
        reached = len(self._entries) + len(events) >= self._at
        if self.cut or (reached and self._before):
            self.cut = True
            raise KillError
        entries = super().append(at, events)
        if reached:
            self.cut = True
            raise KillError
        return entries


async def kill(rig: Rig) -> None:
    """End Paramedic; what its end itself would have written is not there."""
    written = list(rig.journal.read())
    await rig.end()
    rig.tasks.clear()
    rig.journal = MemoryJournal()
    rig.journal._entries = written


async def next_watch(rig: Rig, starts_in: float = 6.0) -> None:
    """What `paramedic watch` does at its begin."""
    rig.world = rig.new_world()
    take_over(rig.world, ())
    begin(rig)
    rig.supervisor.on_start = serves_after(rig, starts_in)


async def over(rig: Rig, within: float = 200) -> None:
    """The incident is over, and nothing was done twice."""

    def well() -> bool:
        open_ = [i for i in rig.view.incidents.values() if i.open]
        return bool(rig.view.incidents) and not open_ and rig.state() is State.SERVING

    await rig.run_until(well, within, "the incident is over")
    await rig.run(30)
    assert well(), rig.story()
    started = [event.action for event in rig.events(e.ActionStarted)]
    assert sorted(started) == sorted({*started}), rig.story()
    assert sorted(started) == sorted(event.action for event in rig.events(e.ActionFinished)), rig.story()
    assert [seen.run for seen in rig.events(e.EngineSeen)] == [1, *rig.supervisor.runs], rig.story()
    assert len(rig.supervisor.runs) <= 1, rig.story()
    alive = [tree for tree in rig.processes.trees.values() if tree]
    assert len(alive) == 1, rig.story()


@pytest.mark.parametrize("before", [False, True], ids=["after", "before"])
@pytest.mark.parametrize("number", range(1, ENTRIES + 1))
async def test_killed_at_any_entry_of_an_incident(rig: Rig, number: int, before: bool) -> None:
    await serving(rig)
    mortal = Mortal(rig.journal._entries, len(rig.journal._entries) + number, before=before)
    rig.world.recorder._store = mortal
    kill_core(rig)
    began = rig.clock.monotonic()
    while not mortal.cut and rig.clock.monotonic() - began < 60:
        await rig.run(0.1)
    await kill(rig)
    await next_watch(rig)
    await over(rig)


async def test_the_incident_has_fewer_entries_than_are_tried(rig: Rig) -> None:
    await serving(rig)
    before = len(rig.journal._entries)
    kill_core(rig)
    await over(rig)
    assert 12 < len(rig.journal._entries) - before <= ENTRIES, rig.story()


# A hung engine, killed within its restart


async def hung(rig: Rig) -> None:
    await serving(rig)
    rig.engines[URL].moving = False


async def forever(rig: Rig) -> None:
    await rig.clock.sleep(1e9)


async def killed_before_the_stop(rig: Rig) -> None:
    await hung(rig)
    stop = rig.supervisor.stop
    rig.supervisor.stop = lambda *_: forever(rig)  # type: ignore[method-assign, assignment, misc, return-value]
    await rig.run_until(lambda: bool(rig.events(e.ActionStarted)), 200, "a restart begins")
    await rig.run(2)
    await kill(rig)
    rig.supervisor.stop = stop  # type: ignore[method-assign]


async def test_an_engine_that_still_hangs_is_restarted_once(rig: Rig) -> None:
    await killed_before_the_stop(rig)
    await next_watch(rig)
    await over(rig)
    assert rig.supervisor.runs == [2]
    assert "resumed" in [event.step for event in rig.events(e.ActionProgressed)]


async def test_an_engine_that_has_recovered_meanwhile_is_left_alone(rig: Rig) -> None:
    await killed_before_the_stop(rig)
    rig.engines[URL].moving = True
    await next_watch(rig)
    await over(rig)
    assert rig.supervisor.runs == []
    [end] = rig.events(e.ActionFinished)
    assert end.outcome is Outcome.UNKNOWN
    assert "left alone" in end.detail.en


async def test_an_engine_that_was_stopped_and_not_started_is_started(rig: Rig) -> None:
    """Its log says that it was told to stop: by us, not by a person."""
    await hung(rig)
    rig.supervisor.in_the_way = "the port is not free yet"
    await rig.run_until(lambda: ("stop", NAME) in rig.supervisor.calls, 200, "stopped")
    rig.log(rig.target().log).write(STOPPING)
    rig.engines[URL].listening = False
    await rig.run(1)
    await kill(rig)
    rig.supervisor.in_the_way = ""
    await next_watch(rig)
    await over(rig)
    assert rig.supervisor.runs == [2]
    assert rig.events(e.ActionFinished)[0].outcome is Outcome.DONE


async def test_an_engine_whose_start_was_not_written_down_is_found(rig: Rig) -> None:
    await hung(rig)
    start = rig.supervisor.start

    async def start_and_hang(target: Target, run: int) -> tuple[EngineProcess, str]:
        await start(target, run)
        await forever(rig)
        raise AssertionError

    rig.supervisor.start = start_and_hang  # type: ignore[method-assign]
    await rig.run_until(lambda: rig.supervisor.runs == [2], 200, "started")
    assert rig.target().run == 1
    await kill(rig)
    rig.supervisor.start = start  # type: ignore[method-assign]
    await next_watch(rig)
    assert rig.target().run == 2
    await over(rig)
    assert rig.supervisor.runs == [2]
    [started] = rig.entries(e.ActionStarted)
    assert [entry.because for entry in rig.entries(e.EngineSeen)][1:] == [started.seq]
    assert rig.events(e.ActionFinished)[0].outcome is Outcome.DONE


async def test_killed_twice_within_one_restart(rig: Rig) -> None:
    await serving(rig)
    rig.supervisor.on_start = serves_after(rig, 20.0)
    kill_core(rig)
    await rig.run_until(lambda: rig.target().run == 2, 30, "started")
    for _ in range(2):
        await kill(rig)
        await next_watch(rig)
        await rig.run(3)
    await over(rig)
    [end] = rig.events(e.ActionFinished)
    assert end.outcome is Outcome.DONE
    assert "verified by a token" in end.detail.en


async def test_a_start_that_fails_while_nobody_watches_is_told(rig: Rig) -> None:
    await serving(rig)
    rig.supervisor.on_start = serves_after(rig, 1e9)
    kill_core(rig)
    await rig.run_until(lambda: rig.target().run == 2, 30, "started")
    await kill(rig)
    server = rig.target().process
    assert server is not None
    rig.processes.end_all(server)
    await next_watch(rig)
    await rig.run_until(lambda: bool(rig.events(e.ActionFinished)), 30, "the action ends")
    [end] = rig.events(e.ActionFinished)
    assert end.outcome is Outcome.FAILED
    assert rig.events(e.ProcessEnded)[-1].exit.how.en == "exit code unknown"


# Outside of a restart


async def test_an_engine_that_died_while_nobody_watched_is_brought_back(rig: Rig) -> None:
    await serving(rig)
    await kill(rig)
    server = rig.target().process
    assert server is not None
    rig.processes.end_all(server)
    rig.engines[URL].listening = False
    await next_watch(rig)
    await over(rig)
    ended = [event.exit for event in rig.events(e.ProcessEnded) if event.exit.pid == server.pid]
    assert [one.how.en for one in ended] == ["exit code unknown"]
    assert rig.supervisor.runs == [2]


async def test_a_first_start_that_was_not_written_down_is_found(rig: Rig) -> None:
    target = rig.add()
    rig.engines[URL] = Engine()
    await rig.supervisor.start(target, 1)
    await next_watch(rig)
    await rig.run_until(lambda: rig.state() is State.SERVING, 20, "serving")
    [seen] = rig.events(e.EngineSeen)
    assert (seen.run, seen.started_by_us, seen.log) == (1, True, "run-0001.log")
    assert rig.supervisor.runs == [1]


async def test_a_first_start_that_never_began_is_let_go(rig: Rig) -> None:
    rig.add()
    await next_watch(rig)
    assert rig.target().removed
    assert rig.supervisor.runs == []


async def test_an_action_on_an_engine_that_is_not_watched_any_more_is_closed(rig: Rig) -> None:
    await killed_before_the_stop(rig)
    rig.world = rig.new_world()
    rig.world.recorder.record(e.TargetRemoved(NAME, as_written("not asked for any more")))
    begin(rig)
    await rig.run(1)
    [end] = rig.events(e.ActionFinished)
    assert end.outcome is Outcome.UNKNOWN
    assert "Paramedic ended" in end.detail.en
