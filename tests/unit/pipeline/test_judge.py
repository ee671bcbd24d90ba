"""Rules into alerts, alerts into incidents."""

import pytest

from paramedic.journal import events as e
from paramedic.journal.views import View
from paramedic.knowledge.rulebook import load_rules
from paramedic.model.action import Outcome
from paramedic.model.level import Level
from paramedic.model.sample import Scrape, label_set
from paramedic.model.target import EngineState
from paramedic.model.text import Text, as_written
from paramedic.pipeline.judge import WELL, RuleJudge, group
from paramedic.rules.rule import Rule
from paramedic.signals.evaluate import Vector
from paramedic.signals.expression import Expression
from tests.unit.pipeline.incidents import ACTION, INCIDENT, alert, change, open_incident, request
from tests.unit.pipeline.rig import NAME, Rig

State = EngineState


@pytest.fixture(scope="module")
def rules() -> list[Rule]:
    return load_rules()


def see(rig: Rig, state: EngineState) -> None:
    """The watcher's samples of a look, and its event."""
    change(rig, state)
    labels = {"target": NAME, "job": "vllm", "instance": "127.0.0.1:8000"}
    series = [label_set("paramedic_target_state", labels, state=one.value) for one in State]
    values = [float(one is state) for one in State]
    rig.samples.append(Scrape(f"probe:{NAME}", rig.clock.now(), series, values))


def judged(rig: Rig) -> tuple[list[str], list[str]]:
    fired = [event.alert.rule for event in rig.events(e.AlertFired)]
    return fired, [event.alert.rpartition("-")[0] for event in rig.events(e.AlertResolved)]


@pytest.mark.parametrize(
    ("state", "rule"),
    [
        (State.DEAD, "engine-dead"),
        (State.DOWN, "server-down"),
        (State.SILENT, "engine-silent"),
        (State.START_FAILED, "start-failed"),
        (State.START_STALLED, "start-stalled"),
    ],
)
async def test_a_bad_state_fires_its_rule_at_once_and_is_over_with_it(
    rig: Rig, rules: list[Rule], state: EngineState, rule: str
) -> None:
    rig.start_engine()
    judge = RuleJudge(rig.world, rules, rig.evaluator)
    see(rig, State.SERVING)
    judge.tick()
    assert judged(rig) == ([], [])
    rig.clock.step(1)
    see(rig, state)
    judge.tick()
    judge.tick()
    assert judged(rig) == ([rule], [])
    [fired] = rig.entries(e.AlertFired)
    assert isinstance(fired.event, e.AlertFired)
    assert fired.event.alert.target == NAME
    assert fired.because == rig.target().state_seq
    rig.clock.step(60)
    see(rig, State.SERVING)
    judge.tick()
    assert judged(rig) == ([rule], [rule])
    [resolved] = rig.entries(e.AlertResolved)
    assert resolved.because == fired.seq


@pytest.mark.parametrize("state", [State.UNKNOWN, State.STARTING, State.SERVING, State.SLEEPING, State.STOPPED])
async def test_a_state_that_is_no_fault_fires_nothing(rig: Rig, rules: list[Rule], state: EngineState) -> None:
    rig.start_engine()
    judge = RuleJudge(rig.world, rules, rig.evaluator)
    for _ in range(30):
        rig.clock.step(5)
        see(rig, state)
        judge.tick()
    assert judged(rig) == ([], [])


async def test_a_rule_that_fails_stops_no_other_and_changes_no_alert(
    rig: Rig, rules: list[Rule], monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.start_engine()
    dead_rule = next(rule for rule in rules if rule.id == "engine-dead")
    judge = RuleJudge(rig.world, rules, rig.evaluator)
    see(rig, State.DEAD)
    judge.tick()
    real = rig.evaluator.instant

    def instant(expression: Expression | str, at_ms: int) -> Vector | float:
        if expression is dead_rule.expression:
            raise ZeroDivisionError("a defect")
        return real(expression, at_ms)

    monkeypatch.setattr(rig.evaluator, "instant", instant)
    rig.clock.step(60)
    see(rig, State.DOWN)
    judge.tick()
    assert judged(rig) == (["engine-dead", "server-down"], [])
    assert rig.events(e.WorkFailed) == [e.WorkFailed("rule engine-dead", "ZeroDivisionError: a defect")]


async def test_after_a_restart_of_paramedic_what_fires_is_not_fired_again(rig: Rig, rules: list[Rule]) -> None:
    rig.start_engine()
    see(rig, State.DEAD)
    RuleJudge(rig.world, rules, rig.evaluator).tick()
    rig.world = rig.new_world()
    rig.clock.step(5)
    see(rig, State.DEAD)
    RuleJudge(rig.world, rules, rig.evaluator).tick()
    assert judged(rig) == (["engine-dead"], [])


# Alerts into incidents


def grouped(rig: Rig) -> list[e.Event]:
    decisions = group(rig.view, rig.clock.now())
    rig.world.recorder.record_all(decisions)
    return [event for event, _ in decisions]


async def test_the_first_alert_opens_an_incident_of_its_year(rig: Rig) -> None:
    rig.start_engine()
    fired = rig.world.recorder.record(e.AlertFired(alert()))
    [(event, because)] = group(rig.view, rig.clock.now())
    assert event == e.IncidentOpened(INCIDENT, NAME, Level.P0, alert().id)
    assert because == fired.seq
    grouped(rig)
    assert grouped(rig) == []


async def test_further_alerts_of_the_same_target_join(rig: Rig) -> None:
    rig.start_engine()
    rig.world.recorder.record(e.AlertFired(alert()))
    rig.world.recorder.record(e.AlertFired(alert("error-ratio", level=Level.P1)))
    assert [type(event) for event in grouped(rig)] == [e.IncidentOpened, e.AlertJoinedIncident]
    rig.world.recorder.record(e.AlertFired(alert("ttft-p95", level=Level.P2)))
    assert grouped(rig) == [e.AlertJoinedIncident(INCIDENT, alert("ttft-p95").id, Level.P2)]
    assert len(rig.view.incidents) == 1


async def test_other_targets_have_incidents_of_their_own(rig: Rig) -> None:
    rig.start_engine()
    rig.start_engine("other", "http://127.0.0.1:8001")
    rig.world.recorder.record(e.AlertFired(alert()))
    rig.world.recorder.record(e.AlertFired(alert(target="other")))
    assert [event.incident for event in grouped(rig) if isinstance(event, e.IncidentOpened)] == [
        "INC-2023-0001",
        "INC-2023-0002",
    ]


def is_over(view: View, rig: Rig) -> bool:
    return any(isinstance(event, e.IncidentResolved) for event, _ in group(view, rig.clock.now()))


@pytest.mark.parametrize("state", list(State))
async def test_an_incident_ends_only_when_the_target_is_well(rig: Rig, state: EngineState) -> None:
    rig.start_engine()
    open_incident(rig)
    rig.world.recorder.record(e.AlertResolved(alert().id))
    change(rig, state)
    assert is_over(rig.view, rig) is (state in WELL)


async def test_an_incident_ends_only_when_its_alerts_have(rig: Rig) -> None:
    rig.start_engine()
    open_incident(rig)
    change(rig, State.SERVING)
    assert not is_over(rig.view, rig)
    rig.world.recorder.record(e.AlertResolved(alert().id))
    assert is_over(rig.view, rig)


async def test_an_incident_ends_only_when_no_action_is_at_work(rig: Rig) -> None:
    rig.start_engine()
    open_incident(rig)
    request(rig)
    rig.world.recorder.record(e.AlertResolved(alert().id))
    change(rig, State.SERVING)
    assert not is_over(rig.view, rig)
    rig.world.recorder.record(e.ActionStarted(ACTION))
    assert not is_over(rig.view, rig)
    rig.world.recorder.record(e.ActionFinished(ACTION, Outcome.DONE))
    [(event, because)] = group(rig.view, rig.clock.now())
    assert event == e.IncidentResolved(INCIDENT, Text("it serves", "正常服务"))
    assert because == rig.view.actions[ACTION].finished_seq


async def test_the_incident_of_a_target_that_is_gone_ends(rig: Rig) -> None:
    rig.start_engine()
    open_incident(rig)
    rig.world.recorder.record(e.TargetRemoved(NAME, as_written("gone")))
    rig.world.recorder.record(e.AlertResolved(alert().id))
    assert grouped(rig) == [e.IncidentResolved(INCIDENT, Text("it is no longer watched", "不再看护"))]


async def test_a_later_alert_of_the_same_rule_opens_a_new_incident(rig: Rig) -> None:
    rig.start_engine()
    open_incident(rig)
    rig.world.recorder.record(e.AlertResolved(alert().id))
    change(rig, State.SERVING)
    grouped(rig)
    rig.world.recorder.record(e.AlertFired(alert()))
    [event] = grouped(rig)
    assert isinstance(event, e.IncidentOpened)
    assert event.incident == "INC-2023-0002"
