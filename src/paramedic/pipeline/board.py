"""What a person sees at one glance: a row a target, the alerts, and what Paramedic is doing."""

from dataclasses import dataclass

from paramedic import __version__
from paramedic.journal.views import ActionView, AlertView, Hold, IncidentView, TargetView, View
from paramedic.model.target import EngineState, Mode
from paramedic.model.text import NO_WORDS, Text
from paramedic.recovery.lifecycle import stage
from paramedic.signals.evaluate import Evaluator
from paramedic.signals.expression import Expression
from paramedic.signals.promql import parse


@dataclass(frozen=True, slots=True)
class TargetRow:
    """One target. A figure that is None is not known: absent is not zero."""

    name: str
    url: str
    model: str
    state: EngineState
    since: int  # UTC ns
    reason: Text
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
    unreadable: Text = NO_WORDS  # what of it the system does not let us read
    hold: Hold | None = None  # a person keeps Paramedic's hands off it


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
    detail: Text
    by: str = ""  # the person who asked for it; empty: Paramedic's own plan


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
    last_seq: int = 0  # the journal's last entry that is in it


class BoardMaker:
    """Makes the glance from the view and the samples."""

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator
        self._queries: dict[str, Expression] = {name: parse(text) for name, text in _FIGURES.items()}
        self._figures: dict[str, dict[str, float]] = {}
        self._figures_at = 0

    def board(self, view: View, now: int, late: float = 0.0) -> Board:
        """The board at `now` (UTC ns)."""
        figures = self._figures_of(now)
        targets = [t for t in view.targets.values() if not t.removed]
        hour_ago = now - 3600 * 1_000_000_000
        return Board(
            at=now,
            version=__version__,
            daemon_pid=view.daemon_pid,
            targets=tuple(
                _target_row(t, {name: values.get(t.target.name) for name, values in figures.items()}, now)
                for t in targets
            ),
            alerts=tuple(_alert_row(view, a) for a in view.firing()),
            actions=tuple(_action_row(a) for a in _last_actions(view, hour_ago)),
            needs_human=tuple(
                (i.id, i.human_needed) for i in view.incidents.values() if i.open and i.human_needed is not None
            ),
            failures=tuple((work, at, error) for work, (at, error) in view.failures.items() if at >= hour_ago),
            late=late,
            last_seq=view.last_seq,
        )

    def _figures_of(self, now: int) -> dict[str, dict[str, float]]:
        """Asked anew every two seconds: the board is drawn more often than the engines are looked at."""
        age = now - self._figures_at
        if not self._figures.get("output_tokens_per_s") or not 0 <= age < 2_000_000_000:
            self._figures = {name: self._by_target(query, now // 1_000_000) for name, query in self._queries.items()}
            self._figures_at = now
        return self._figures

    def _by_target(self, query: Expression, at_ms: int) -> dict[str, float]:
        found = {}
        for labels, value in self._evaluator.vector(query, at_ms):
            if value == value:  # NaN is no figure
                found[dict(labels).get("target", "")] = value
        return found


_FIGURES = {
    "output_tokens_per_s": "sum by (target) (rate(llm:generation_tokens_total[1m]))",
    "prompt_tokens_per_s": "sum by (target) (rate(llm:prompt_tokens_total[1m]))",
    "running": "sum by (target) (llm:requests_running)",
    "waiting": "sum by (target) (llm:requests_waiting)",
    "kv_cache": "max by (target) (llm:kv_cache_usage)",
    "ttft_p50": "histogram_quantile(0.5, sum by (target, le) (rate(llm:ttft_seconds_bucket[5m])))",
    "ttft_p95": "histogram_quantile(0.95, sum by (target, le) (rate(llm:ttft_seconds_bucket[5m])))",
    "itl_p50": "histogram_quantile(0.5, sum by (target, le) (rate(llm:itl_seconds_bucket[5m])))",
    "itl_p95": "histogram_quantile(0.95, sum by (target, le) (rate(llm:itl_seconds_bucket[5m])))",
    "seen_at": "max by (target) (timestamp(llm:requests_running))",
}

FRESH = 60.0  # seconds; older figures are not shown as if they were of now

_SHOWN = frozenset({EngineState.SERVING, EngineState.SLEEPING, EngineState.UNRESPONSIVE, EngineState.SILENT})


def _target_row(target: TargetView, figures: dict[str, float | None], now: int) -> TargetRow:
    seen_at = figures.pop("seen_at")
    age = None if seen_at is None else max(0.0, now / 1e9 - seen_at)
    if age is None or age > FRESH or target.state not in _SHOWN:
        figures = dict.fromkeys(figures)
    return TargetRow(
        name=target.target.name,
        url=target.target.url,
        model=target.target.model,
        state=target.state,
        since=target.state_since,
        reason=target.state_reason,
        mode=target.target.mode,
        started_by_us=target.started_by_us,
        run=target.run,
        pid=target.process.pid if target.process else None,
        stage=target.stage if target.state is EngineState.STARTING else "",
        figures_age=age,
        unreadable=target.unreadable,
        hold=target.hold,
        **figures,
    )


def _alert_row(view: View, alert: AlertView) -> AlertRow:
    incident = view.incidents.get(alert.incident)
    return AlertRow(
        id=alert.alert.id,
        rule=alert.alert.rule,
        target=alert.alert.target,
        level=alert.alert.level.value,
        category=alert.alert.category.value,
        summary=alert.alert.summary,
        since=alert.fired_at,
        due=alert.fired_at + alert.alert.level.objective * 1_000_000_000,
        incident=alert.incident,
        cause=_cause(incident),
    )


_NOT_TOLD = Text("could not be told: see what is missing", "无法判断：请看缺少什么")


def _cause(incident: IncidentView | None) -> Text | None:
    if incident is None or incident.diagnosis is None:
        return None
    findings = incident.diagnosis.findings
    return findings[0].title if findings else _NOT_TOLD


def _last_actions(view: View, since: int) -> list[ActionView]:
    """What is not over, and the last one of each target within the hour."""
    shown: dict[str, ActionView] = {}
    for action in view.actions.values():
        if not action.over or action.requested_at >= since:
            shown[action.request.target] = action
    return list(shown.values())


def _action_row(action: ActionView) -> ActionRow:
    return ActionRow(
        id=action.request.action,
        kind=action.kind.value,
        target=action.request.target,
        status=stage(action).value,
        step=action.step,
        reason=action.request.reason,
        since=action.finished_at or action.started_at or action.requested_at,
        detail=action.detail,
        by=action.request.by,
    )
