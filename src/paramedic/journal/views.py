"""What is so now: a record for each target, alert, incident, action and delivery that the journal tells of."""

from dataclasses import dataclass, field

from paramedic.journal import events as e
from paramedic.model.action import ActionKind, Outcome
from paramedic.model.alert import Alert
from paramedic.model.finding import Diagnosis
from paramedic.model.level import Level
from paramedic.model.target import EngineProcess, EngineState, Exit, Target
from paramedic.model.text import NO_WORDS, Text


@dataclass(frozen=True, slots=True)
class Hold:
    """A person keeps Paramedic's hands off a server. Times are UTC ns."""

    by: str
    since: int
    until: int  # 0: until somebody says `resume`
    reason: Text
    seq: int  # of the event


@dataclass(frozen=True, slots=True)
class TargetView:
    """A target as the journal knows it. Times are UTC ns; `state_seq` is the event to name as a reason."""

    target: Target
    added_seq: int
    state: EngineState = EngineState.UNKNOWN
    state_since: int = 0
    state_reason: Text = NO_WORDS
    state_seq: int = 0
    run: int = 0
    runs_by_hand: int = 0  # of them, begun by `paramedic restart`
    process: EngineProcess | None = None
    started_by_us: bool = False
    seen_at: int = 0
    stage: str = ""
    stage_since: int = 0
    log: str = ""
    exits: tuple[Exit, ...] = ()  # of this run
    unreadable: Text = NO_WORDS  # what of this run the system did not let us read
    removed: bool = False
    hold: Hold | None = None


@dataclass(frozen=True, slots=True)
class AlertView:
    """An alert that fires, or did."""

    alert: Alert
    fired_at: int
    fired_seq: int
    incident: str = ""
    resolved_at: int | None = None


@dataclass(frozen=True, slots=True)
class IncidentView:
    """Alerts of one target that belong together, and what was done about them."""

    id: str
    target: str
    level: Level
    opened_at: int
    opened_seq: int
    alerts: tuple[str, ...] = ()
    diagnosis: Diagnosis | None = None
    diagnosis_seq: int = 0
    diagnosed_at: int = 0
    actions: tuple[str, ...] = ()
    human_needed: Text | None = None
    human_seq: int = 0
    resolved_at: int | None = None
    resolved_reason: Text = NO_WORDS

    @property
    def open(self) -> bool:
        return self.resolved_at is None


@dataclass(frozen=True, slots=True)
class ActionView:
    """An action: requested, perhaps approved, started, finished."""

    request: e.ActionRequested
    requested_at: int
    requested_seq: int
    approved_by: str = ""
    rejected_by: str = ""
    started_at: int | None = None
    started_seq: int = 0
    step: str = ""
    finished_at: int | None = None
    finished_seq: int = 0
    outcome: Outcome | None = None
    detail: Text = NO_WORDS

    @property
    def asked_by_a_person(self) -> bool:
        return bool(self.request.by)

    @property
    def kind(self) -> ActionKind:
        return self.request.kind

    @property
    def over(self) -> bool:
        return self.finished_at is not None or bool(self.rejected_by)

    @property
    def waits_for_approval(self) -> bool:
        return self.request.needs_approval and not self.approved_by and not self.over

    @property
    def running(self) -> bool:
        return self.started_at is not None and not self.over


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """A notification on its way, or arrived, or lost."""

    request: e.DeliveryRequested
    requested_at: int
    requested_seq: int
    attempts: int = 0
    outcome: Outcome | None = None
    detail: str = ""


@dataclass(slots=True)
class View:
    """Everything that is so. Only `fold.apply` changes it."""

    targets: dict[str, TargetView] = field(default_factory=dict)
    alerts: dict[str, AlertView] = field(default_factory=dict)
    incidents: dict[str, IncidentView] = field(default_factory=dict)
    actions: dict[str, ActionView] = field(default_factory=dict)
    deliveries: dict[str, DeliveryView] = field(default_factory=dict)
    failures: dict[str, tuple[int, str]] = field(default_factory=dict)  # work -> (when, error), the latest
    daemon_pid: int | None = None
    clock_set_by: int = 0  # seconds, all its steps together
    last_seq: int = 0
    last_at: int = 0

    def firing(self) -> list[AlertView]:
        return [alert for alert in self.alerts.values() if alert.resolved_at is None]

    def open_incident(self, target: str) -> IncidentView | None:
        return next((i for i in reversed(self.incidents.values()) if i.target == target and i.open), None)

    def running_action(self, target: str) -> ActionView | None:
        return next((a for a in self.actions.values() if a.request.target == target and a.running), None)
