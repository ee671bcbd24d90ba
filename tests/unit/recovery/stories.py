"""Views for recovery: a target in a state, its incident with a diagnosis, and what was tried before."""

from dataclasses import replace

from paramedic.journal import events as e
from paramedic.journal.fold import fold
from paramedic.journal.views import View
from paramedic.model.action import ActionKind, Outcome
from paramedic.model.alert import Alert
from paramedic.model.finding import Diagnosis, Finding, Restart, Verdict
from paramedic.model.level import Category, Level
from paramedic.model.target import EngineProcess, EngineState, Mode, Role
from paramedic.model.text import NO_WORDS, Text
from paramedic.recovery.guard import Policy
from paramedic.recovery.plan import Decision, plan
from tests.fakes.night import BEGIN, INCIDENT, QWEN, SECOND, Pen

T = QWEN.name
WHY = Text("why", "原因")
POLICY = Policy(hang_confirm=60.0)


def finding(restart: Restart, cause: str = "a-cause") -> Finding:
    title = Text(f"it is {cause}", f"是 {cause}")
    return Finding(cause, "f", Category.SEVERE, Level.P0, 0.9, title, WHY, restart=restart)


def fault(restart: Restart) -> Diagnosis:
    return Diagnosis(Verdict.FAULT, (finding(restart),))


UNKNOWN = Diagnosis(Verdict.UNKNOWN, missing=(Text("its log", "日志"),))
HEALTHY = Diagnosis(Verdict.HEALTHY)


class Story:
    """A journal that is written event by event. `at` is in seconds since its beginning."""

    def __init__(self, *, mode: Mode = Mode.ACT, by_us: bool = True) -> None:
        self.pen = Pen()
        self.pen.write(0, e.TargetAdded(replace(QWEN, mode=mode)))
        self.pen.write(0, e.EngineSeen(T, 1, EngineProcess(4700, 0.0, Role.API_SERVER), by_us))

    @property
    def view(self) -> View:
        return fold(self.pen.entries)

    def state(self, at: float, after: EngineState) -> "Story":
        target = self.view.targets[T]
        self.pen.write(at, e.StateChanged(T, target.run, target.state, after, NO_WORDS))
        return self

    def broken(self, at: float, state: EngineState, diagnosis: Diagnosis | None) -> "Story":
        """It comes to this state; an alert opens an incident, which is diagnosed (None: not yet)."""
        self.state(at, state)
        if self.view.open_incident(T) is None:
            alert = Alert("engine-dead-1", "engine-dead", T, (), Level.P0, Category.SEVERE, WHY)
            self.pen.write(at, e.AlertFired(alert))
            self.pen.write(at, e.IncidentOpened(INCIDENT, T, Level.P0, alert.id))
        return self.diagnosed(at + 0.5, diagnosis) if diagnosis else self

    def diagnosed(self, at: float, diagnosis: Diagnosis) -> "Story":
        self.pen.write(at, e.DiagnosisMade(INCIDENT, diagnosis))
        return self

    def then(self, at: float, *events: e.Event) -> "Story":
        for event in events:
            self.pen.write(at, event)
        return self

    def tried(self, at: float, name: str, outcome: Outcome | None = Outcome.FAILED, detail: Text = NO_WORDS) -> "Story":
        """A restart was begun at `at`, and ended a second later (None: it runs)."""
        request = e.ActionRequested(name, ActionKind.RESTART, T, INCIDENT, WHY, 1, False)
        self.then(at, request, e.ActionStarted(name))
        return self.then(at + 1, e.ActionFinished(name, outcome, detail)) if outcome else self

    def plan(self, at: float, policy: Policy = POLICY) -> list[Decision]:
        return plan(self.view, BEGIN + int(at * SECOND), policy)

    def requests(self, at: float, policy: Policy = POLICY) -> list[e.ActionRequested]:
        return [event for event, _ in self.plan(at, policy) if isinstance(event, e.ActionRequested)]

    def asks(self, at: float, policy: Policy = POLICY) -> list[str]:
        return [event.reason.en for event, _ in self.plan(at, policy) if isinstance(event, e.HumanNeeded)]


def dead(**how: object) -> Story:
    """An engine that died of something that a restart cures, diagnosed at 10.5 s."""
    return Story(**how).broken(10, EngineState.DEAD, fault(Restart.CURES))  # type: ignore[arg-type]
