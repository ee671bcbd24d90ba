"""What a person sees at one glance: a row a target, the alerts, and what Paramedic is doing."""

from collections.abc import Callable
from dataclasses import dataclass

from paramedic.journal.fold import ActionView, AlertView, IncidentView, TargetView, View
from paramedic.model.target import EngineState, Mode
from paramedic.model.text import Text


@dataclass(frozen=True, slots=True)
class TargetRow:
    """One target. A figure that is None is not known: absent is not zero."""

    name: str
    url: str
    model: str
    state: EngineState
    since: int  # UTC ns
    reason: str
    mode: Mode
    started_by_us: bool
    run: int
    pid: int | None
    stage: str  # while starting
    output_tokens_per_s: float | None = None
    prompt_tokens_per_s: float | None = None
    running: float | None = None
    waiting: float | None = None
    kv_cache: float | None = None  # 0..1
    ttft_p50: float | None = None  # seconds
    ttft_p95: float | None = None
    itl_p50: float | None = None
    itl_p95: float | None = None
    figures_age: float | None = None  # seconds since the last scrape that was answered


@dataclass(frozen=True, slots=True)
class AlertRow:
    """One firing alert."""

    id: str
    rule: str
    target: str
    level: str
    category: str
    summary: Text
    since: int
    due: int  # when its recovery-time objective ends, UTC ns
    incident: str
    cause: Text | None  # the title of the first finding of its incident


@dataclass(frozen=True, slots=True)
class ActionRow:
    """One action that is not over, or the last one of its target."""

    id: str
    kind: str
    target: str
    status: str  # waiting-for-approval, waiting, running, done, failed, unknown, rejected
    step: str
    reason: Text
    since: int
    detail: str


@dataclass(frozen=True, slots=True)
class Board:
    """The whole glance."""

    at: int
    version: str
    daemon_pid: int | None  # None: nobody is watching now, these are the last things known
    targets: tuple[TargetRow, ...]
    alerts: tuple[AlertRow, ...]
    actions: tuple[ActionRow, ...]
    needs_human: tuple[tuple[str, Text], ...]  # (incident, why)
    failures: tuple[tuple[str, int, str], ...]  # (work, when, error) of Paramedic itself, last hour
    late: float = 0.0  # seconds that Paramedic itself last was late

