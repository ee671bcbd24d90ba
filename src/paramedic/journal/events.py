"""The facts and intents that the journal keeps, in the past tense.

An event is small, frozen, and holds no secret. Whatever Paramedic knows of the past is a fold of these.
"""

from dataclasses import dataclass

from paramedic.model.action import ActionKind, Outcome
from paramedic.model.alert import Alert
from paramedic.model.finding import Diagnosis
from paramedic.model.level import Level
from paramedic.model.target import EngineProcess, EngineState, Exit, Target
from paramedic.model.text import NO_WORDS, Text


@dataclass(frozen=True, slots=True)
class Event:
    """The root of all events."""


# Paramedic itself


@dataclass(frozen=True, slots=True)
class DaemonStarted(Event):
    """A daemon opened this data folder."""

    version: str
    pid: int


@dataclass(frozen=True, slots=True)
class DaemonStopped(Event):
    """It closed it in good order."""

    reason: str  # "interrupt", "terminate", "stop", "time"
    engines_left: tuple[str, ...] = ()  # targets that run on without us


@dataclass(frozen=True, slots=True)
class DaemonWasLate(Event):
    """Paramedic itself was stopped or starved; nothing was judged for this long."""

    seconds: float


@dataclass(frozen=True, slots=True)
class ClockWasSet(Event):
    """The machine's clock was set, or the machine slept: what is counted by it goes on from there."""

    seconds: int  # forwards; below zero: back


@dataclass(frozen=True, slots=True)
class WorkFailed(Event):
    """A unit of work failed in a way we had not foreseen; the others went on."""

    work: str  # "rule engine-dead", "scrape qwen@127.0.0.1:8000", ...
    error: str  # type and message, without secrets


# Targets


@dataclass(frozen=True, slots=True)
class TargetAdded(Event):
    """A server came under our eyes (found, configured or about to be started)."""

    target: Target


@dataclass(frozen=True, slots=True)
class TargetRemoved(Event):
    """It is no longer watched."""

    target: str
    reason: Text


@dataclass(frozen=True, slots=True)
class EngineSeen(Event):
    """A run of the engine began: we started it, took it over, or found it running."""

    target: str
    run: int  # counts from 1, for ever
    process: EngineProcess  # the API server
    started_by_us: bool
    log: str = ""


@dataclass(frozen=True, slots=True)
class ReadingRefused(Event):
    """The system did not let us read something of an engine; the rest goes on."""

    target: str
    what: Text  # and as whom it could be read


@dataclass(frozen=True, slots=True)
class StageReached(Event):
    """A start-up stage was reached: loading, compiling, capturing, ..."""

    target: str
    run: int
    stage: str


@dataclass(frozen=True, slots=True)
class ProcessEnded(Event):
    """A process of an engine ended."""

    target: str
    run: int
    exit: Exit


@dataclass(frozen=True, slots=True)
class StateChanged(Event):
    """What we know of an engine changed, and why we say so."""

    target: str
    run: int
    before: EngineState
    after: EngineState
    reason: Text = NO_WORDS


@dataclass(frozen=True, slots=True)
class TargetHeld(Event):
    """A person keeps Paramedic's hands off this server; it is watched on."""

    target: str
    by: str
    until: int = 0  # UTC ns; 0: until somebody says `resume`
    reason: Text = NO_WORDS


@dataclass(frozen=True, slots=True)
class TargetResumed(Event):
    """The hold is over: a person says so, or its time has passed (`by` is then `paramedic`)."""

    target: str
    by: str
    reason: Text = NO_WORDS


# Alerts and incidents


@dataclass(frozen=True, slots=True)
class AlertFired(Event):
    """A rule has held long enough."""

    alert: Alert


@dataclass(frozen=True, slots=True)
class AlertResolved(Event):
    """It holds no longer."""

    alert: str
    reason: Text = NO_WORDS


@dataclass(frozen=True, slots=True)
class IncidentOpened(Event):
    """Alerts of one target that belong together."""

    incident: str  # INC-2026-0001
    target: str
    level: Level
    alert: str


@dataclass(frozen=True, slots=True)
class AlertJoinedIncident(Event):
    """A further alert of the same target."""

    incident: str
    alert: str
    level: Level


@dataclass(frozen=True, slots=True)
class DiagnosisMade(Event):
    """The cause with its evidence, or what is missing to tell."""

    incident: str
    diagnosis: Diagnosis


@dataclass(frozen=True, slots=True)
class IncidentResolved(Event):
    """Its alerts are over."""

    incident: str
    reason: Text


# Actions


@dataclass(frozen=True, slots=True)
class ActionRequested(Event):
    """An intent: do this, for this reason, not before `not_before` (UTC ns)."""

    action: str  # ACT-0001
    kind: ActionKind
    target: str
    incident: str  # empty: a person asked for it, and nothing was wrong
    reason: Text
    attempt: int  # the how manieth of this incident
    needs_approval: bool
    not_before: int = 0
    by: str = ""  # the person who asked for it; empty: Paramedic's own plan


@dataclass(frozen=True, slots=True)
class ActionApproved(Event):
    """A person said yes."""

    action: str
    by: str


@dataclass(frozen=True, slots=True)
class ActionRejected(Event):
    """A person said no, or the reason for it has gone."""

    action: str
    by: str
    reason: Text = NO_WORDS


@dataclass(frozen=True, slots=True)
class ActionStarted(Event):
    """Written before the effect."""

    action: str


@dataclass(frozen=True, slots=True)
class ActionProgressed(Event):
    """A step of a running action: what was done, with what result."""

    action: str
    step: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ActionFinished(Event):
    """Written after the effect, with its verification."""

    action: str
    outcome: Outcome
    detail: Text = NO_WORDS


@dataclass(frozen=True, slots=True)
class HumanNeeded(Event):
    """Paramedic will not or may not act further; a person must."""

    incident: str
    reason: Text


# Notifications


@dataclass(frozen=True, slots=True)
class DeliveryRequested(Event):
    """An intent: tell this notifier this."""

    delivery: str  # DLV-0001
    notifier: str  # its name in the configuration
    incident: str
    occasion: str  # opened, diagnosed, acting, human-needed, resolved
    level: Level
    text: Text


@dataclass(frozen=True, slots=True)
class DeliveryTried(Event):
    """One attempt that did not succeed; another follows."""

    delivery: str
    attempt: int
    detail: str


@dataclass(frozen=True, slots=True)
class DeliveryFinished(Event):
    """The last attempt and its outcome."""

    delivery: str
    outcome: Outcome
    attempts: int
    detail: str = ""
