"""A restart, step by step: what stands in the journal before and after each effect, and how it can fail."""

import asyncio
from collections.abc import Callable

import pytest

from paramedic.journal import events as e
from paramedic.model.action import Outcome
from paramedic.model.errors import ParamedicError
from paramedic.model.target import EngineProcess, EngineState, Role, Target
from paramedic.pipeline.recover import Patience, Restart, close_unfinished, drop_obsolete, ready_to_run
from paramedic.ports import StopReport
from tests.unit.pipeline.incidents import ACTION, INCIDENT, change, open_incident, request
from tests.unit.pipeline.rig import NAME, URL, Engine, Rig

State = EngineState
SECOND = 1_000_000_000


def dead(rig: Rig, state: EngineState = State.DEAD) -> EngineProcess:
    """An engine of ours is dead, its incident is open, a restart of it is asked for."""
    server = rig.start_engine()
    change(rig, state)
    open_incident(rig)
    request(rig)
    return server


def serves_after(rig: Rig, seconds: float) -> Callable[[Target, int, EngineProcess], None]:
    def on_start(target: Target, run: int, server: EngineProcess) -> None:
        rig.engines[target.url] = Engine(ready_at=rig.clock.monotonic() + seconds)

    return on_start


def begin(rig: Rig, **patience: float) -> asyncio.Task[None]:
    """Carry the requested action out; the target's watcher sees what comes of it."""
    task = rig.begin(Restart(rig.view.actions[ACTION], rig.world, Patience(**patience)).run())
    rig.watch()
    return task


async def finished(rig: Rig, within: float = 60.0) -> e.ActionFinished:
    await rig.run_until(lambda: bool(rig.events(e.ActionFinished)), within, "the action ends")
    [event] = rig.events(e.ActionFinished)
    return event


def since_started(rig: Rig) -> list[str]:
    """The types of the events that the action led to, and the steps of its progress."""
    [started] = rig.entries(e.ActionStarted)
    return [
        entry.event.step if isinstance(entry.event, e.ActionProgressed) else type(entry.event).__name__
        for entry in rig.journal.read(started.seq - 1)
        if entry.because == started.seq or entry.seq == started.seq
    ]


async def test_all_its_steps_stand_in_the_journal_in_order(rig: Rig) -> None:
    dead(rig)
    rig.supervisor.on_start = serves_after(rig, 8.0)
    begin(rig)

    done = await finished(rig)

    assert done.outcome is Outcome.DONE
    assert "verified by a token" in done.detail.en
    assert since_started(rig) == ["ActionStarted", "stopped", "EngineSeen", "ActionFinished"]
    assert [call for call, _ in rig.supervisor.calls] == ["stop", "free_to_start", "start"]
    assert (rig.target().run, rig.state()) == (2, State.SERVING)
    assert ("canary", NAME) in rig.probe.asked
    [started] = rig.entries(e.ActionStarted)
    assert started.because == rig.view.actions[ACTION].requested_seq


async def test_it_is_written_down_before_its_first_effect(rig: Rig) -> None:
    dead(rig)
    begun: list[int] = []
    stop = rig.supervisor.stop

    async def stop_and_look(target: Target, server: EngineProcess, grace_s: float) -> object:
        begun.append(len(rig.events(e.ActionStarted)))
        return await stop(target, server, grace_s)

    rig.supervisor.stop = stop_and_look  # type: ignore[method-assign, assignment]
    rig.supervisor.on_start = serves_after(rig, 1.0)
    begin(rig)
    await finished(rig)
    assert begun == [1]


async def test_of_a_hung_engine_the_evidence_is_saved_before_it_is_ended(rig: Rig) -> None:
    dead(rig, State.SILENT)
    rig.engines[URL].moving = False
    rig.supervisor.on_start = serves_after(rig, 1.0)
    begin(rig)
    await finished(rig)
    assert [call for call, _ in rig.supervisor.calls][:2] == ["save_stacks", "stop"]
    assert since_started(rig)[:3] == ["ActionStarted", "evidence-saved", "stopped"]
    [saved] = [event for event in rig.events(e.ActionProgressed) if event.step == "evidence-saved"]
    assert saved.detail == "run-0001-stacks.txt"


async def test_a_broken_engine_has_nothing_to_drain(rig: Rig) -> None:
    dead(rig)
    rig.supervisor.on_start = serves_after(rig, 1.0)
    begin(rig, broken_grace=1.5)
    await finished(rig)
    assert rig.supervisor.graces == [1.5]


async def test_what_the_end_of_a_run_that_we_end_looks_like_is_no_news(rig: Rig) -> None:
    """Its dying processes change no state: no second alert, and the restart goes on."""
    rig.start_engine()
    rig.watch()
    await rig.run(12)
    rig.engines[URL].moving = False
    await rig.run_until(lambda: rig.state() is State.SILENT, 60, "silent")
    open_incident(rig)
    request(rig)
    stop = rig.supervisor.stop

    async def stop_slowly(target: Target, server: EngineProcess, grace_s: float) -> StopReport:
        report = await stop(target, server, grace_s)
        rig.engines[URL].listening = False
        await rig.clock.sleep(8)
        return report

    rig.supervisor.stop = stop_slowly  # type: ignore[method-assign]
    rig.supervisor.on_start = serves_after(rig, 5.0)
    rig.begin(Restart(rig.view.actions[ACTION], rig.world, Patience()).run())
    assert (await finished(rig)).outcome is Outcome.DONE
    assert [event.after for event in rig.events(e.StateChanged)] == [State.SERVING, State.SILENT, State.SERVING]


# How it fails


async def test_with_survivors_nothing_is_started(rig: Rig) -> None:
    server = dead(rig)
    rig.supervisor.survivors = (server.pid,)
    begin(rig)
    end = await finished(rig)
    assert (end.outcome, str(server.pid) in end.detail.en) == (Outcome.FAILED, True)
    assert "start" not in [call for call, _ in rig.supervisor.calls]


async def test_a_port_that_never_gets_free(rig: Rig) -> None:
    dead(rig)
    rig.supervisor.in_the_way = "port 8000 is held by pid 77 (nginx)"
    begin(rig, free=20.0)
    end = await finished(rig, 30)
    assert end.outcome is Outcome.FAILED
    assert "pid 77 (nginx)" in end.detail.en
    assert "start" not in [call for call, _ in rig.supervisor.calls]


async def test_a_port_that_gets_free_in_time(rig: Rig) -> None:
    dead(rig)
    rig.supervisor.in_the_way = "the GPU memory of the last run is not released"
    rig.supervisor.on_start = serves_after(rig, 1.0)
    begin(rig, free=20.0)
    await rig.run(15)
    rig.supervisor.in_the_way = ""
    assert (await finished(rig)).outcome is Outcome.DONE


async def test_a_command_that_cannot_be_started(rig: Rig) -> None:
    dead(rig)
    rig.supervisor.start_error = ParamedicError("vllm: no such program")
    begin(rig)
    end = await finished(rig)
    assert (end.outcome, end.detail.en) == (Outcome.FAILED, "vllm: no such program")


async def test_a_start_that_fails_ends_at_once(rig: Rig) -> None:
    dead(rig)
    rig.supervisor.on_start = serves_after(rig, 1e9)
    begin(rig)
    await rig.run_until(lambda: rig.target().run == 2, 10, "started")
    await rig.run(3)
    server = rig.target().process
    assert server is not None
    rig.processes.end_all(server, code=1)
    began = rig.clock.monotonic()
    end = await finished(rig, 5)
    assert rig.clock.monotonic() - began < 2.0
    assert end.outcome is Outcome.FAILED
    assert "start_failed" in end.detail.en


async def test_a_start_that_takes_too_long(rig: Rig) -> None:
    dead(rig)
    rig.supervisor.on_start = serves_after(rig, 1e9)
    begin(rig, start=120.0)
    await rig.run_until(lambda: rig.target().run == 2, 10, "started")
    rig.log("run-0002.log").write("INFO Starting to load model qwen...")
    end = await finished(rig, 150)
    assert end.outcome is Outcome.FAILED
    assert "120 s" in end.detail.en
    assert "loading" in end.detail.en


async def test_it_answers_but_no_token_comes(rig: Rig) -> None:
    dead(rig)

    def on_start(target: Target, run: int, server: EngineProcess) -> None:
        rig.engines[target.url] = Engine(moving=False, running=0)

    rig.supervisor.on_start = on_start
    begin(rig, token=20.0)
    end = await finished(rig, 60)
    assert end.outcome is Outcome.FAILED
    assert "no token came" in end.detail.en


async def test_one_that_dies_before_its_first_token_is_given_up_at_once(rig: Rig) -> None:
    dead(rig)

    def on_start(target: Target, run: int, server: EngineProcess) -> None:
        rig.engines[target.url] = Engine(answers_canary="error")

    rig.supervisor.on_start = on_start
    begin(rig, token=600.0)
    await rig.run_until(lambda: rig.state() is State.SERVING, 10, "serving")
    await rig.run(3)
    rig.processes.end(rig.pid_of(Role.ENGINE_CORE), signal=9)
    end = await finished(rig, 5)
    assert end.outcome is Outcome.FAILED
    assert "dead" in end.detail.en


@pytest.mark.parametrize("answer", ["paused", "unauthorised"])
async def test_where_no_token_can_be_had_it_says_so(rig: Rig, answer: str) -> None:
    dead(rig)

    def on_start(target: Target, run: int, server: EngineProcess) -> None:
        rig.engines[target.url] = Engine(answers_canary=answer)

    rig.supervisor.on_start = on_start
    begin(rig)
    end = await finished(rig)
    assert "not-verified" in since_started(rig)
    assert "verified by a token" not in end.detail.en


async def test_interrupted_it_is_left_open_for_the_next_paramedic(rig: Rig) -> None:
    dead(rig)
    rig.supervisor.on_start = serves_after(rig, 100.0)
    task = begin(rig)
    await rig.run(5)
    task.cancel()
    await rig.run(1)
    assert rig.events(e.ActionFinished) == []
    assert rig.view.actions[ACTION].running


# Whose turn it is


async def test_an_action_waits_for_its_time(rig: Rig) -> None:
    rig.start_engine()
    event = request(rig, not_before=rig.clock.now() + 10 * SECOND)
    assert ready_to_run(rig.view, event.not_before - 1) == []
    assert ready_to_run(rig.view, event.not_before) == [ACTION]


async def test_an_action_waits_for_approval(rig: Rig) -> None:
    rig.start_engine()
    request(rig, needs_approval=True)
    assert ready_to_run(rig.view, rig.clock.now()) == []
    rig.world.recorder.record(e.ActionApproved(ACTION, "li.wei"))
    assert ready_to_run(rig.view, rig.clock.now()) == [ACTION]


async def test_one_at_a_time_per_target(rig: Rig) -> None:
    rig.start_engine()
    rig.start_engine("other", "http://127.0.0.1:8001")
    request(rig)
    request(rig, "ACT-0002")
    request(rig, "ACT-0003", "other")
    assert ready_to_run(rig.view, rig.clock.now()) == [ACTION, "ACT-0003"]
    rig.world.recorder.record(e.ActionStarted(ACTION))
    assert ready_to_run(rig.view, rig.clock.now()) == ["ACT-0003"]
    rig.world.recorder.record(e.ActionFinished(ACTION, Outcome.FAILED))
    assert ready_to_run(rig.view, rig.clock.now()) == ["ACT-0002", "ACT-0003"]


async def test_a_rejected_action_never_runs(rig: Rig) -> None:
    rig.start_engine()
    request(rig, needs_approval=True)
    rig.world.recorder.record(e.ActionRejected(ACTION, "li.wei"))
    assert ready_to_run(rig.view, rig.clock.now()) == []


async def test_an_engine_that_recovered_by_itself_is_not_restarted(rig: Rig) -> None:
    dead(rig)
    drop_obsolete(rig.world)
    assert rig.events(e.ActionRejected) == []
    change(rig, State.SERVING)
    drop_obsolete(rig.world)
    [dropped] = rig.events(e.ActionRejected)
    assert (dropped.action, dropped.by) == (ACTION, "paramedic")
    assert "serving" in dropped.reason.en


async def test_what_an_earlier_paramedic_left_running_is_closed_as_unknown(rig: Rig) -> None:
    dead(rig)
    started = rig.world.recorder.record(e.ActionStarted(ACTION))
    close_unfinished(rig.world)
    close_unfinished(rig.world)
    [end] = rig.entries(e.ActionFinished)
    assert isinstance(end.event, e.ActionFinished)
    assert (end.event.outcome, end.because) == (Outcome.UNKNOWN, started.seq)
    assert rig.view.incidents[INCIDENT].open


async def test_a_restart_whose_server_is_gone_needs_no_role_of_it(rig: Rig) -> None:
    server = dead(rig)
    rig.processes.end_all(server, signal=9)
    rig.supervisor.on_start = serves_after(rig, 1.0)
    begin(rig)
    assert (await finished(rig)).outcome is Outcome.DONE
    assert rig.pid_of(Role.API_SERVER) != server.pid
