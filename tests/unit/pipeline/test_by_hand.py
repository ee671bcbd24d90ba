"""A person's hand in the whole of Paramedic, in virtual time: held, given back, restarted."""

from paramedic.journal import events as e
from paramedic.model.action import Outcome
from paramedic.model.target import EngineState, Mode
from paramedic.pipeline.take_over import take_over
from paramedic.recovery import by_hand
from tests.unit.pipeline.rig import NAME, URL, Rig
from tests.unit.pipeline.test_cycle import begin, kill_core, resolved, serves_after, serving

State = EngineState


def hold(rig: Rig, seconds: float | None = None) -> None:
    rig.world.recorder.record(*by_hand.hold(rig.view, NAME, "li.wei", seconds, "profiling", rig.clock.now()))


def resume(rig: Rig) -> None:
    rig.world.recorder.record(*by_hand.resume(rig.view, NAME, "li.wei", ""))


def restart(rig: Rig) -> str:
    ended, request = by_hand.restart(rig.view, NAME, "li.wei", "new weights")
    rig.world.recorder.record_all([*ended, request])
    return request[0].action


async def finished(rig: Rig, action: str, within: float = 60) -> Outcome:
    await rig.run_until(lambda: rig.view.actions[action].over, within, f"{action} is over")
    outcome = rig.view.actions[action].outcome
    assert outcome is not None
    return outcome


# Hold


async def test_a_held_server_is_watched_and_diagnosed_and_not_touched(rig: Rig) -> None:
    await serving(rig)
    hold(rig)
    kill_core(rig)
    await rig.run(300)
    assert rig.state() is State.DEAD
    assert [event.alert.rule for event in rig.events(e.AlertFired)] == ["engine-dead"]
    assert rig.events(e.DiagnosisMade)[0].diagnosis.findings[0].cause == "engine-core-died"
    assert rig.events(e.ActionRequested) == []
    assert rig.events(e.HumanNeeded) == []  # whoever holds it knows
    assert rig.supervisor.calls == []

    resume(rig)
    await rig.run_until(lambda: bool(rig.events(e.ActionStarted)), 10, "a restart begins")
    await resolved(rig)


async def test_the_end_of_a_hold_is_taken_up(rig: Rig) -> None:
    await serving(rig)
    hold(rig, 60.0)
    held_at = rig.clock.monotonic()
    kill_core(rig)
    await rig.run_until(lambda: bool(rig.events(e.ActionStarted)), 90, "a restart begins")
    assert 60 <= rig.clock.monotonic() - held_at <= 67
    [over] = rig.events(e.TargetResumed)
    assert over.by == "paramedic"
    await resolved(rig)


async def test_a_hold_outlives_paramedic(rig: Rig) -> None:
    await serving(rig)
    hold(rig)
    await rig.end()
    rig.tasks.clear()
    rig.world = rig.new_world()
    begin(rig)
    kill_core(rig)
    await rig.run(120)
    assert rig.events(e.ActionRequested) == []
    assert rig.target().hold is not None


async def test_a_held_server_that_a_person_stopped_stays_known(rig: Rig) -> None:
    """Else the next `watch -- COMMAND` would take it for a new one, and start it."""
    await serving(rig)
    hold(rig)
    server = rig.target().process
    assert server is not None
    rig.log(f"{NAME}-1.log").write("INFO [launcher.py:1] Shutting down FastAPI HTTP server.")
    rig.engines[URL].listening = False
    rig.processes.end_all(server, code=0)
    await rig.run_until(lambda: rig.state() is State.STOPPED, 30, "stopped")
    rig.world = rig.new_world()
    take_over(rig.world, ())
    assert not rig.target().removed
    resume(rig)
    take_over(rig.world, ())
    assert rig.target().removed


async def test_a_time_that_passed_while_nobody_watched_is_over(rig: Rig) -> None:
    await serving(rig)
    hold(rig, 60.0)
    await rig.end()
    rig.tasks.clear()
    await rig.run(100)
    rig.world = rig.new_world()
    begin(rig)
    await rig.run(1)
    assert [event.by for event in rig.events(e.TargetResumed)] == ["paramedic"]


async def test_what_has_begun_is_finished_and_then_nothing_more(rig: Rig) -> None:
    await serving(rig)
    rig.supervisor.on_start = serves_after(rig, 20.0)
    kill_core(rig)
    await rig.run_until(lambda: rig.target().run == 2, 20, "the restart is under way")
    hold(rig)
    await resolved(rig)
    assert rig.events(e.ActionFinished)[0].outcome is Outcome.DONE
    kill_core(rig)
    await rig.run(120)
    assert len(rig.events(e.ActionRequested)) == 1


async def test_what_waited_for_its_time_waits_on(rig: Rig) -> None:
    await serving(rig)
    kill_core(rig)
    await resolved(rig)
    await rig.run(5)
    kill_core(rig)
    await rig.run_until(lambda: len(rig.events(e.ActionRequested)) == 2, 10, "the second restart waits")
    hold(rig)
    await rig.run(120)
    assert len(rig.events(e.ActionStarted)) == 1
    resume(rig)
    await rig.run_until(lambda: len(rig.events(e.ActionStarted)) == 2, 10, "the second restart begins")


# Restart


async def test_a_working_server_is_restarted_and_verified(rig: Rig) -> None:
    await serving(rig)
    action = restart(rig)
    assert await finished(rig, action) is Outcome.DONE
    assert "verified by a token" in rig.view.actions[action].detail.en
    assert (rig.target().run, rig.state()) == (2, State.SERVING)
    assert [call for call, _ in rig.supervisor.calls] == ["stop", "free_to_start", "start"]
    await rig.run(60)
    assert rig.events(e.AlertFired) == []
    assert rig.view.incidents == {}


async def test_it_begins_at_once_whatever_the_mode(rig: Rig) -> None:
    await serving(rig)
    rig.add(mode=Mode.OBSERVE)
    action = restart(rig)
    await rig.run_until(lambda: rig.view.actions[action].started_at is not None, 1, "it begins")
    assert await finished(rig, action) is Outcome.DONE


async def test_a_restart_that_never_began_does_not_come_late(rig: Rig) -> None:
    await serving(rig)
    await rig.end()
    rig.tasks.clear()
    action = restart(rig)
    rig.world = rig.new_world()
    begin(rig)
    await rig.run(30)
    assert rig.view.actions[action].rejected_by == "paramedic"
    assert rig.supervisor.calls == []


async def test_a_restart_that_fails_says_so_and_the_night_goes_on(rig: Rig) -> None:
    await serving(rig)
    rig.supervisor.on_start = serves_after(rig, 1e9)
    action = restart(rig)
    await rig.run_until(lambda: rig.target().run == 2, 30, "started")
    await rig.run(3)
    server = rig.target().process
    assert server is not None
    rig.processes.end_all(server, code=1)
    assert await finished(rig, action) is Outcome.FAILED
    await rig.run(30)
    assert [event.alert.rule for event in rig.events(e.AlertFired)] == ["start-failed"]


async def test_many_restarts_by_hand_are_no_restart_loop(rig: Rig) -> None:
    await serving(rig)
    for _ in range(5):
        assert await finished(rig, restart(rig)) is Outcome.DONE
        await rig.run(10)
    assert rig.target().run == 6
    assert rig.events(e.AlertFired) == []
    rig.engines[URL].moving = True
    kill_core(rig)
    await rig.run_until(lambda: len(rig.events(e.ActionStarted)) == 6, 10, "Paramedic's own has its whole budget")


async def test_a_dead_one_that_waits_for_a_yes_is_restarted_by_hand(rig: Rig) -> None:
    await serving(rig)
    rig.add(mode=Mode.ASK)
    kill_core(rig)
    await rig.run_until(lambda: bool(rig.events(e.ActionRequested)), 20, "it waits")
    action = restart(rig)
    assert await finished(rig, action) is Outcome.DONE
    await resolved(rig)
    assert len(rig.events(e.ActionStarted)) == 1
    assert rig.events(e.HumanNeeded) == []
