"""Judges rules: from what an expression gives at each tick to alerts that fire and are resolved."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from paramedic.model.alert import Alert
from paramedic.model.sample import LabelSet
from paramedic.model.text import Text
from paramedic.rules.lifecycle import TABLE, Effect, Phase, Seen
from paramedic.rules.rule import Rule
from paramedic.signals.evaluate import Scalar, Vector
from paramedic.signals.functions.vector import without_name
from paramedic.signals.series import fingerprint

_OVER = Text("its condition holds no longer", "条件不再成立")
ADOPTION_GRACE_MS = 20_000


@dataclass(frozen=True, slots=True)
class Fired:
    """A rule has held for as long as it asks."""

    alert: Alert


@dataclass(frozen=True, slots=True)
class Resolved:
    """A firing alert is over."""

    alert_id: str
    reason: Text


Judgement = Fired | Resolved


@dataclass(frozen=True, slots=True)
class AlertState:
    """Where one alert stands. Milliseconds; `not_over_before`: an adopted alert must be looked at for a while first,
    None: from the first judgement on.
    """

    phase: Phase
    since_ms: int  # the expression has held since
    gone_since_ms: int | None = None
    not_over_before_ms: int | None = 0


@dataclass(slots=True)
class RuleState:
    """Where the alerts of one rule stand, by alert id; an inactive one is not kept."""

    alerts: dict[str, AlertState] = field(default_factory=dict)


class Judge:
    """The alerts of all rules. A rule that could not be evaluated is not judged, and nothing of it changes."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rules)
        self.states: dict[str, RuleState] = {rule.id: RuleState() for rule in rules}

    def adopt(self, alerts: Iterable[Alert]) -> list[Resolved]:
        """Take over alerts that fire already, after a restart: none is fired again, and none is over before there was
        time to look. Those whose rule exists no longer are resolved.
        """
        orphans = []
        for alert in alerts:
            if alert.rule in self.states:
                state = AlertState(Phase.FIRING, 0, not_over_before_ms=None)
                self.states[alert.rule].alerts[alert.id] = state
            else:
                orphans.append(
                    Resolved(alert.id, Text(f"the rule {alert.rule} exists no longer", f"规则 {alert.rule} 已不存在"))
                )
        return orphans

    def unseen(self, seconds: float) -> None:
        """Nobody looked for so long, or the clock was set by so much: it counts for nothing. What must hold for a
        while goes on from there; what fires is looked at for a while before it is over.
        """
        moved = round(seconds * 1000)
        for state in self.states.values():
            for key, alert in state.alerts.items():
                gone = None if alert.gone_since_ms is None else alert.gone_since_ms + moved
                state.alerts[key] = replace(
                    alert, since_ms=alert.since_ms + moved, gone_since_ms=gone, not_over_before_ms=None
                )

    def judge_rule(self, rule: Rule, result: Vector | Scalar, now_ms: int) -> list[Judgement]:
        """What changes now that the rule's expression gave `result` at `now_ms`; a number holds without labels."""
        vector: Vector = [((), result)] if isinstance(result, float) else result
        state = self.states[rule.id]
        holding = {alert_id(rule, labels): (labels, value) for labels, value in vector}
        judgements: list[Judgement] = []
        for key in [*holding, *(key for key in state.alerts if key not in holding)]:
            before = state.alerts.get(key) or AlertState(Phase.INACTIVE, now_ms)
            after, seen = _look(rule, before, key in holding, now_ms)
            phase, effect = TABLE[before.phase, seen]
            if phase is Phase.INACTIVE:
                state.alerts.pop(key, None)
            else:
                state.alerts[key] = replace(after, phase=phase)
            if effect is Effect.FIRE:
                judgements.append(Fired(make_alert(rule, *holding[key])))
            elif effect is Effect.RESOLVE:
                judgements.append(Resolved(key, _OVER))
        return judgements

    def phases(self) -> Iterator[tuple[str, Phase]]:
        """Every alert that is pending or firing, with its phase."""
        for state in self.states.values():
            for key, alert in state.alerts.items():
                yield key, alert.phase


def _look(rule: Rule, state: AlertState, holds: bool, now_ms: int) -> tuple[AlertState, Seen]:
    earliest = state.not_over_before_ms
    if earliest is None:
        earliest = now_ms + ADOPTION_GRACE_MS
        state = replace(state, not_over_before_ms=earliest)
    if holds:
        ripe = now_ms - state.since_ms >= rule.for_s * 1000
        return replace(state, gone_since_ms=None), Seen.RIPE if ripe else Seen.HOLDS
    since = now_ms if state.gone_since_ms is None else state.gone_since_ms
    over = now_ms - since >= rule.keep_firing_for_s * 1000 and now_ms >= earliest
    return replace(state, gone_since_ms=since), Seen.OVER if over else Seen.GONE


def alert_id(rule: Rule, labels: LabelSet) -> str:
    """The same for the same rule and labels, in every process and for ever."""
    return f"{rule.id}-{fingerprint(without_name(labels))}"


def make_alert(rule: Rule, labels: LabelSet, value: float) -> Alert:
    """The alert of one sample of the rule's vector."""
    found = dict(without_name(labels))
    more = {name: template.render(found, value) for name, template in rule.labels.items()}
    summary = Text(rule.summary_en.render(found, value), rule.summary_zh.render(found, value))
    return Alert(
        id=alert_id(rule, labels),
        rule=rule.id,
        target=found.get("target", ""),
        labels=tuple(sorted((name, text) for name, text in {**found, **more}.items() if text)),
        level=rule.level,
        category=rule.category,
        summary=summary,
        runbook=rule.runbook,
        value=value if math.isfinite(value) else None,
    )
