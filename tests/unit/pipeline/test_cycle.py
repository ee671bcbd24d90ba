"""The whole of Paramedic in virtual time, with the shipped rules and the real catalogue: nights from end to end."""

from collections.abc import Sequence

import pytest

from paramedic.journal import events as e
from paramedic.journal.codec import Entry
from paramedic.journal.timeline import story
from paramedic.knowledge.catalogue import load_catalogue
from paramedic.knowledge.rulebook import load_rules
from paramedic.model.action import Outcome
from paramedic.model.target import EngineProcess, EngineState, Mode, Role, Target
from paramedic.model.text import as_written
from paramedic.pipeline.cycle import Cycle, Settings
from paramedic.pipeline.judge import RuleJudge
from paramedic.ports import StopReport
from paramedic.recovery.guard import Policy
from tests.fakes import FakeNotifier
from tests.unit.pipeline.rig import INTERVAL, NAME, URL, Engine, Rig

State = EngineState
POLICY = Policy(hang_confirm=30.0)


def begin(rig: Rig, *, notifiers: dict[str, FakeNotifier] | None = None, **settings: object) -> Cycle:
    """A daemon over the rig's journal; restarted engines serve after six seconds."""
    options = {"interval": INTERVAL, "discovery": False, "policy": POLICY, **settings}
    judge = RuleJudge(rig.world, load_rules(), rig.evaluator)
    cycle = Cycle(
        rig.world,
        Settings(**options),  # type: ignore[arg-type]
        judge,
        rig.evaluator,
        load_catalogue(),
        rig.knowledge,
        dict(notifiers or {}),
    )
    rig.begin(cycle.run())
    rig.supervisor.on_start = serves_after(rig, 6.0)
    return cycle


def serves_after(rig: Rig, seconds: float):  # type: ignore[no-untyped-def]
    def on_start(target: Target, run: int, server: EngineProcess) -> None:
        rig.engines[target.url] = Engine(ready_at=rig.clock.monotonic() + seconds)

    return on_start


async def serving(rig: Rig, **settings: object) -> None:
    rig.start_engine()
    begin(rig, **settings)  # type: ignore[arg-type]
    await rig.run_until(lambda: rig.state() is State.SERVING, 10, "serving")
    await rig.run(13)


def kill_core(rig: Rig, name: str = NAME) -> None:
    rig.processes.end(rig.pid_of(Role.ENGINE_CORE, name), signal=9)
    rig.engines[rig.target(name).target.url].dead = True


def kinds(entries: Sequence[Entry]) -> list[str]:
    return [type(entry.event).__name__ for entry in entries]


async def resolved(rig: Rig, within: float = 120) -> Entry:
    await rig.run_until(lambda: bool(rig.events(e.IncidentResolved)), within, "the incident is over")
    return rig.entries(e.IncidentResolved)[0]


# A night from end to end


async def test_a_killed_engine_is_brought_back_without_a_hand(rig: Rig) -> None:
    await serving(rig)
    killed_at = rig.clock.monotonic()
    kill_core(rig)
    await rig.run_until(lambda: bool(rig.events(e.ActionStarted)), 10, "a restart begins")
    assert rig.clock.monotonic() - killed_at < 4.0
    await resolved(rig)

    wanted = [
        e.ProcessEnded, e.StateChanged, e.AlertFired, e.IncidentOpened, e.DiagnosisMade, e.ActionRequested,
        e.ActionStarted, e.ActionProgressed, e.EngineSeen, e.StateChanged, e.ActionFinished, e.AlertResolved,
        e.IncidentResolved,
    ]  # fmt: skip
    happened = [entry for entry in rig.journal.read() if type(entry.event) in wanted]
    happened = happened[[type(entry.event) for entry in happened].index(e.ProcessEnded) :]
    order = kinds(happened)
    _in_this_order(order, [one.__name__ for one in wanted if one is not e.AlertResolved])
    assert order.index("AlertResolved") < order.index("IncidentResolved")

    [made] = rig.events(e.DiagnosisMade)
    assert made.diagnosis.findings[0].cause == "engine-core-died"
    [end] = rig.events(e.ActionFinished)
    assert end.outcome is Outcome.DONE
    assert [event.alert.rule for event in rig.events(e.AlertFired)] == ["engine-dead"]
    assert rig.target().run == 2
    assert rig.events(e.WorkFailed) == []


def _in_this_order(happened: list[str], wanted: list[str]) -> None:
    place = 0
    for name in wanted:
        assert name in happened[place:], f"no {name} after {happened[:place]}: {happened}"
        place = happened.index(name, place) + 1


async def test_before_the_journal_has_it_nothing_is_done(rig: Rig) -> None:
    await serving(rig)
    begun: list[str] = []

    async def stop(target: Target, server: EngineProcess, grace_s: float) -> StopReport:
        begun.extend(kinds(rig.entries(e.ActionStarted)))
        rig.processes.end_all(server, signal=9)
        return StopReport(("SIGKILL",))

    rig.supervisor.stop = stop  # type: ignore[method-assign]
    kill_core(rig)
    await resolved(rig)
    assert begun == ["ActionStarted"]


async def test_whatever_was_done_leads_back_to_what_was_seen(rig: Rig) -> None:
    await serving(rig)
    kill_core(rig)
    await resolved(rig)
    for kind in (e.AlertFired, e.IncidentOpened, e.DiagnosisMade, e.ActionRequested, e.ActionStarted,
                 e.ActionProgressed, e.ActionFinished, e.AlertResolved, e.IncidentResolved):  # fmt: skip
        for entry in rig.entries(kind):
            seen = [r.event for r in rig.reasons(entry) if isinstance(r.event, e.StateChanged)]
            assert any(event.after is State.DEAD for event in seen), f"{kind.__name__} leads back to {seen}"


async def test_the_incident_can_be_explained(rig: Rig) -> None:
    await serving(rig)
    kill_core(rig)
    await resolved(rig)
    [incident] = rig.view.incidents
    told = kinds(story(list(rig.journal.read()), incident))
    for name in ("StateChanged", "AlertFired", "DiagnosisMade", "ActionStarted", "ActionFinished", "IncidentResolved"):
        assert name in told


async def test_a_hung_engine_is_confirmed_then_ended_and_brought_back(rig: Rig) -> None:
    await serving(rig)
    hung_at = rig.clock.monotonic()
    rig.engines[URL].moving = False
    await rig.run_until(lambda: bool(rig.events(e.ActionStarted)), 90, "a restart begins")
    # 30 s without progress, which was last seen up to an interval before
    assert 30 - INTERVAL <= rig.clock.monotonic() - hung_at <= 45
    await resolved(rig)
    assert [call for call, _ in rig.supervisor.calls][:2] == ["save_stacks", "stop"]
    [made] = rig.events(e.DiagnosisMade)
    assert made.diagnosis.findings[0].cause == "engine-hung"


async def test_it_dies_again_and_again_until_a_person_is_needed(rig: Rig) -> None:
    await serving(rig)
    rig.supervisor.on_start = serves_after(rig, 1e9)

    def dies_soon(target: Target, run: int, server: EngineProcess) -> None:
        rig.engines[URL] = Engine(ready_at=rig.clock.monotonic() + 4.0)

    rig.supervisor.on_start = dies_soon
    waits = []
    for life in range(1, 5):
        await rig.run_until(lambda life=life: rig.target().run == life and rig.state() is State.SERVING, 60)  # type: ignore[misc]
        await rig.run(3)
        killed_at = rig.clock.monotonic()
        kill_core(rig)
        if life < 4:
            await rig.run_until(lambda life=life: len(rig.events(e.ActionStarted)) == life, 60, f"restart {life}")  # type: ignore[misc]
            waits.append(rig.clock.monotonic() - killed_at)
    await rig.run_until(lambda: bool(rig.events(e.HumanNeeded)), 30, "a person")
    await rig.run(300)

    assert len(rig.events(e.ActionRequested)) == 3
    assert [request.attempt for request in rig.events(e.ActionRequested)] == [1, 2, 3]
    assert waits[0] < 4 < 8 < waits[1] < 16 < waits[2]
    assert len(rig.events(e.HumanNeeded)) == 1
    assert "3 restarts" in rig.events(e.HumanNeeded)[0].reason.en


async def test_a_start_that_fails_for_good_is_tried_once(rig: Rig) -> None:
    server = rig.start_engine(ready_at=1e9)
    begin(rig)
    await rig.run(3)
    rig.log(f"{NAME}-1.log").write(
        "(APIServer pid=1) ERROR OSError: /models/qwen does not appear to have a file named config.json."
    )
    rig.processes.end_all(server, code=1)
    await rig.run(120)
    [needed] = rig.events(e.HumanNeeded)
    assert needed.reason.en.startswith("The model's folder is not there")
    assert rig.events(e.ActionRequested) == []
    assert [call for call, _ in rig.supervisor.calls if call == "start"] == []


# What is left alone


async def test_a_night_without_trouble_writes_nothing(rig: Rig) -> None:
    await serving(rig)
    seen = rig.view.last_seq
    await rig.run(300)
    assert rig.view.last_seq == seen


async def test_overload_is_told_and_never_restarted(rig: Rig) -> None:
    await serving(rig)
    rig.engines[URL].waiting = 298
    await rig.run(240)
    assert [event.alert.rule for event in rig.events(e.AlertFired)] == ["requests-queueing"]
    assert rig.events(e.ActionRequested) == []
    assert rig.events(e.HumanNeeded) == []
    assert rig.state() is State.SERVING


async def test_an_engine_that_a_person_stopped_stays_down(rig: Rig) -> None:
    await serving(rig)
    server = rig.target().process
    assert server is not None
    rig.log(f"{NAME}-1.log").write("INFO [launcher.py:1] Shutting down FastAPI HTTP server.")
    rig.engines[URL].listening = False
    rig.processes.end_all(server, code=0)
    await rig.run(120)
    assert rig.state() is State.STOPPED
    assert rig.events(e.ActionRequested) == []
    assert rig.events(e.AlertFired) == []


async def test_a_found_server_is_diagnosed_and_left_alone(rig: Rig) -> None:
    rig.start_engine(by_us=False)
    begin(rig)
    await rig.run(10)
    kill_core(rig)
    await rig.run(90)
    assert rig.events(e.DiagnosisMade)[0].diagnosis.findings[0].cause == "engine-core-died"
    assert rig.events(e.ActionRequested) == []
    assert len(rig.events(e.HumanNeeded)) == 1
    assert rig.supervisor.calls == []


# Approval


async def test_in_ask_mode_it_waits_for_a_yes(rig: Rig) -> None:
    rig.start_engine()
    rig.world.recorder.record(e.TargetAdded(_asking(rig)))
    begin(rig)
    await rig.run(10)
    kill_core(rig)
    await rig.run(60)
    [request] = rig.events(e.ActionRequested)
    assert request.needs_approval
    assert rig.events(e.ActionStarted) == []
    rig.world.recorder.record(e.ActionApproved(request.action, "li.wei"))
    await resolved(rig)
    assert rig.events(e.ActionFinished)[0].outcome is Outcome.DONE


async def test_a_no_is_a_no(rig: Rig) -> None:
    rig.start_engine()
    rig.world.recorder.record(e.TargetAdded(_asking(rig)))
    begin(rig)
    await rig.run(10)
    kill_core(rig)
    await rig.run(20)
    [request] = rig.events(e.ActionRequested)
    rig.world.recorder.record(e.ActionRejected(request.action, "li.wei", as_written("I look at it")))
    await rig.run(120)
    assert len(rig.events(e.ActionRequested)) == 1
    assert rig.events(e.ActionStarted) == []
    assert len(rig.events(e.HumanNeeded)) == 1


def _asking(rig: Rig) -> Target:
    known = rig.target().target
    return Target(known.name, known.url, known.origin, Mode.ASK, model=known.model)


# Others and ourselves


async def test_two_servers_die_and_both_come_back(rig: Rig) -> None:
    rig.start_engine("other", "http://127.0.0.1:8001")
    await serving(rig)
    kill_core(rig)
    kill_core(rig, "other")
    await rig.run_until(lambda: len(rig.events(e.IncidentResolved)) == 2, 120, "both are over")
    assert len(rig.view.incidents) == 2
    assert all(len(incident.actions) == 1 for incident in rig.view.incidents.values())


async def test_a_restart_of_one_does_not_delay_the_diagnosis_of_another(rig: Rig) -> None:
    rig.start_engine("other", "http://127.0.0.1:8001")
    await serving(rig)
    rig.supervisor.on_start = serves_after(rig, 600.0)
    kill_core(rig)
    await rig.run_until(lambda: rig.target().run == 2, 20, "a long start")
    kill_core(rig, "other")
    await rig.run_until(lambda: len(rig.events(e.DiagnosisMade)) == 2, 6, "the other one's diagnosis")


async def test_people_are_told_in_the_order_of_the_night(rig: Rig) -> None:
    notifier = FakeNotifier()
    await serving(rig, notifiers={"oncall": notifier})
    kill_core(rig)
    await resolved(rig)
    await rig.run(5)
    assert [message.occasion for message in notifier.messages] == ["opened", "diagnosed", "resolved"]


async def test_a_stopped_paramedic_says_that_it_was_late_and_judges_nothing(rig: Rig) -> None:
    await serving(rig)
    rig.engines[URL].moving = False
    rig.clock.step(400)
    await rig.run(6)
    rig.engines[URL].moving = True
    await rig.run(60)
    [late] = rig.events(e.DaemonWasLate)
    assert late.seconds == pytest.approx(400, abs=10)
    assert rig.events(e.AlertFired) == []
