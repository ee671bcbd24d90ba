"""Judging: rules over the samples, alerts into incidents. Runs every tick, and at once when a state changes."""

from collections.abc import Sequence
from datetime import UTC, datetime

from paramedic.journal.events import (
    AlertFired,
    AlertJoinedIncident,
    AlertResolved,
    Event,
    IncidentOpened,
    IncidentResolved,
)
from paramedic.journal.views import AlertView, View
from paramedic.model.alert import Alert
from paramedic.model.target import EngineState
from paramedic.model.text import Text
from paramedic.pipeline.barrier import Barrier
from paramedic.pipeline.world import World
from paramedic.rules.judge import Fired, Judge, Resolved
from paramedic.rules.rule import Rule
from paramedic.signals.evaluate import Evaluator

Decision = tuple[Event, int | None]

_ENDINGS = {
    EngineState.SERVING: Text("it serves", "正常服务"),
    EngineState.SLEEPING: Text("it sleeps on purpose", "主动休眠"),
    EngineState.STOPPED: Text("it was stopped on request", "已按要求停止"),
}
_NOT_WATCHED = Text("it is no longer watched", "不再看护")
WELL = frozenset(_ENDINGS)


class RuleJudge:
    """Evaluates every rule, each inside the barrier: one that fails stops no other and changes no alert."""

    def __init__(self, world: World, rules: Sequence[Rule], evaluator: Evaluator) -> None:
        self._world = world
        self._rules = rules
        self._evaluator = evaluator
        self._judge = Judge(rules)
        self._barrier = Barrier(world.recorder, world.clock)
        self._orphaned = self._judge.adopt(alert.alert for alert in world.view.firing())
        self._clock_set_by = world.view.clock_set_by

    def tick(self) -> None:
        """Judge once, now."""
        now_ms = self._world.clock.now() // 1_000_000
        set_by, self._clock_set_by = self._world.view.clock_set_by - self._clock_set_by, self._world.view.clock_set_by
        if set_by:
            self.unseen(set_by)
        for gone in self._orphaned:  # alerts of an earlier daemon whose rule exists no longer
            self._resolve(gone)
        self._orphaned = []
        for rule in self._rules:
            with self._barrier.around(f"rule {rule.id}"):
                vector = self._evaluator.instant(rule.expression, now_ms)
                for change in self._judge.judge_rule(rule, vector, now_ms):
                    if isinstance(change, Fired):
                        because = _reason(self._world.view, change.alert)
                        self._world.recorder.record(AlertFired(change.alert), because)
                    else:
                        self._resolve(change)

    def unseen(self, seconds: float) -> None:
        """What Paramedic did not see counts for nothing."""
        self._judge.unseen(seconds)

    def _resolve(self, change: Resolved) -> None:
        fired = self._world.view.alerts.get(change.alert_id)
        because = fired.fired_seq if fired else None
        self._world.recorder.record(AlertResolved(change.alert_id, change.reason), because)


def _reason(view: View, alert: Alert) -> int | None:
    """A rule about a state has the change of that state as its reason."""
    target = view.targets.get(alert.target)
    return target.state_seq or target.added_seq if target else None


def group(view: View, now: int) -> list[Decision]:
    """Alerts of one target belong to one incident; it ends when they have and the target is well again."""
    decisions: list[Decision] = []
    year = datetime.fromtimestamp(now / 1e9, UTC).year
    number = len(view.incidents)
    opened: dict[str, str] = {}
    for alert in view.firing():
        if alert.incident:
            continue
        known = view.open_incident(alert.alert.target)
        incident = known.id if known else opened.get(alert.alert.target)
        if incident is None:
            number += 1
            incident = opened[alert.alert.target] = f"INC-{year}-{number:04d}"
            decisions.append(_open(incident, alert))
        else:
            decisions.append((AlertJoinedIncident(incident, alert.alert.id, alert.alert.level), alert.fired_seq))
    return decisions + _resolved(view)


def _open(incident: str, alert: AlertView) -> Decision:
    return IncidentOpened(incident, alert.alert.target, alert.alert.level, alert.alert.id), alert.fired_seq


def _resolved(view: View) -> list[Decision]:
    decisions: list[Decision] = []
    for incident in view.incidents.values():
        if not incident.open:
            continue
        alerts = [view.alerts[a] for a in incident.alerts if a in view.alerts]
        target = view.targets.get(incident.target)
        at_work = any(not view.actions[a].over for a in incident.actions)
        well = target is None or target.removed or target.state in WELL
        if all(a.resolved_at is not None for a in alerts) and well and not at_work:
            ending = _ENDINGS[target.state] if target and not target.removed else _NOT_WATCHED
            last = max((a.finished_seq for a in view.actions.values() if a.request.incident == incident.id), default=0)
            because = max(last, target.state_seq if target else 0) or None
            decisions.append((IncidentResolved(incident.id, ending), because))
    return decisions
