"""Incidents as the journal has them before somebody acts or is told."""

from paramedic.journal import events as e
from paramedic.model.action import ActionKind
from paramedic.model.alert import Alert
from paramedic.model.finding import Diagnosis, Finding, Remedy, Restart, Verdict
from paramedic.model.level import Category, Level
from paramedic.model.target import EngineState
from paramedic.model.text import Text, as_written
from tests.unit.pipeline.rig import NAME, Rig

INCIDENT = "INC-2023-0001"
ACTION = "ACT-0001"
WHY = Text("it died", "它死了")
CORE_DIED = Diagnosis(
    Verdict.FAULT,
    (
        Finding(
            "engine-core-died",
            "runtime-crash",
            Category.SEVERE,
            Level.P0,
            0.95,
            Text("A process of the engine died", "引擎进程死亡"),
            WHY,
            remedies=(Remedy("restart-engine", Text("Restart it.", "重启。")),),
            restart=Restart.CURES,
        ),
    ),
)


def alert(rule: str = "engine-dead", target: str = NAME, level: Level = Level.P0) -> Alert:
    return Alert(f"{rule}-{target}", rule, target, (("target", target),), level, Category.SEVERE, WHY)


def open_incident(rig: Rig, target: str = NAME, incident: str = INCIDENT) -> None:
    record = rig.world.recorder.record
    fired = record(e.AlertFired(alert(target=target)))
    record(e.IncidentOpened(incident, target, Level.P0, alert(target=target).id), fired.seq)


def change(rig: Rig, after: EngineState, target: str = NAME) -> None:
    known = rig.target(target)
    rig.world.recorder.record(e.StateChanged(target, known.run, known.state, after, as_written("seen")))


def request(rig: Rig, action: str = ACTION, target: str = NAME, **more: object) -> e.ActionRequested:
    """An action is asked for in the journal."""
    fields = {"attempt": 1, "needs_approval": False, **more}
    event = e.ActionRequested(action, ActionKind.RESTART, target, INCIDENT, WHY, **fields)  # type: ignore[arg-type]
    rig.world.recorder.record(event)
    return event
