"""What to do about an open incident: a restart, or a person, or nothing. Pure: (view, now) -> events.

A restart as it was is the only step of the ladder today; each further one is a branch of `_for_incident`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from paramedic.journal.events import ActionRequested, Event, HumanNeeded
from paramedic.journal.views import IncidentView, TargetView, View
from paramedic.model.action import ActionKind, Outcome
from paramedic.model.finding import Finding, Restart, Verdict
from paramedic.model.target import EngineState, Mode
from paramedic.model.text import Text
from paramedic.recovery import guard
from paramedic.recovery.guard import SECOND, Policy

Decision = tuple[Event, int | None]  # an event, and the number of the event that led to it

# States in which a restart is worth thinking about. A busy, queueing or slow engine is not among them.
BROKEN = frozenset({EngineState.DEAD, EngineState.SILENT, EngineState.DOWN, EngineState.START_FAILED})


@dataclass(frozen=True, slots=True)
class Judgement:
    """Restart, or not and why a person is needed; neither: there is nothing to do."""

    restart: Text | None = None
    human: Text | None = None


def plan(view: View, now: int, policy: Policy, silent_after: float = 22.0) -> list[Decision]:
    """The intents that follow from what is so. `silent_after`: seconds without progress that a silent engine had
    when it was called silent."""
    decisions = []
    for incident in view.incidents.values():
        target = view.targets.get(incident.target)
        if incident.open and target is not None and not target.removed:
            decisions += _for_incident(view, incident, target, now, policy, silent_after)
    return decisions


def _for_incident(
    view: View, incident: IncidentView, target: TargetView, now: int, policy: Policy, silent_after: float
) -> list[Decision]:
    if _is_at_work(view, target) or incident.diagnosis is None:
        return []
    if target.hold is not None:
        return []  # whoever holds it knows
    if incident.diagnosed_at < target.state_since:
        return []  # the diagnosis is of an earlier state: a new one is on its way
    if target.state is EngineState.START_STALLED:
        return _ask_human(incident, _STANDS_STILL)
    if target.state not in BROKEN:
        return []
    if target.state is EngineState.SILENT:
        silent_for = (now - target.state_since) / SECOND + silent_after
        if silent_for < policy.hang_confirm:
            return []
    judgement = judge(incident, target)
    if judgement.restart is None:
        return _ask_human(incident, judgement.human)
    return _tell_of_failure(view, incident, target) + _request(view, incident, target, judgement.restart, now, policy)


def _tell_of_failure(view: View, incident: IncidentView, target: TargetView) -> list[Decision]:
    """A restart that could not even start the engine (its port is taken) may fail again: a person is told at once."""
    last = view.actions[incident.actions[-1]] if incident.actions else None
    if last is None or last.outcome is not Outcome.FAILED or last.started_at is None or not last.detail:
        return []
    told = incident.human_seq > last.finished_seq or incident.human_needed == last.detail
    if told or target.seen_at >= last.started_at:
        return []
    return [(HumanNeeded(incident.id, last.detail), last.finished_seq)]


def _is_at_work(view: View, target: TargetView) -> bool:
    return any(a.request.target == target.target.name and not a.over for a in view.actions.values())


def judge(incident: IncidentView, target: TargetView) -> Judgement:
    """What the diagnosis lets us do, whoever must agree."""
    diagnosis = incident.diagnosis
    first = diagnosis.findings[0] if diagnosis and diagnosis.findings else None
    never_ready = target.state is EngineState.START_FAILED
    if not target.started_by_us:
        return Judgement(human=_not_ours(first))
    if first is None:
        if never_ready or (diagnosis and diagnosis.verdict is Verdict.HEALTHY):
            return Judgement(human=_UNEXPLAINED)
        return Judgement(restart=_CRASHED_UNEXPLAINED)
    match first.restart:
        case Restart.CURES:
            return Judgement(restart=_because(first))
        case Restart.USELESS:
            return Judgement(human=_useless(first))
        case Restart.UNNEEDED:
            # The engine itself is broken all the same: what was found explains something else.
            return Judgement(human=_UNEXPLAINED) if never_ready else Judgement(restart=_CRASHED_UNEXPLAINED)


def _request(
    view: View, incident: IncidentView, target: TargetView, reason: Text, now: int, policy: Policy
) -> list[Decision]:
    name = target.target.name
    tried = guard.recent(view.actions.values(), name, now, policy)
    if guard.budget_is_spent(len(tried), policy):
        return _ask_human(incident, _budget(policy))
    if target.target.mode is Mode.OBSERVE:
        return _ask_human(incident, _OBSERVED)
    if any(view.actions[a].rejected_by and view.actions[a].rejected_by != "paramedic" for a in incident.actions):
        return _ask_human(incident, _REJECTED)
    action = f"ACT-{len(view.actions) + 1:04d}"
    wait = guard.wait_before(len(tried), action, policy)
    request = ActionRequested(
        action=action,
        kind=ActionKind.RESTART,
        target=name,
        incident=incident.id,
        reason=reason,
        attempt=len(tried) + 1,
        needs_approval=target.target.mode is Mode.ASK,
        not_before=now + int(wait * SECOND) if wait else 0,
    )
    return [(request, incident.diagnosis_seq)]


def _ask_human(incident: IncidentView, reason: Text | None) -> list[Decision]:
    if reason is None or incident.human_needed == reason:
        return []
    return [(HumanNeeded(incident.id, reason), incident.diagnosis_seq)]


def unfinished(view: View) -> list[str]:
    """Actions that were begun and never ended: Paramedic itself ended meanwhile."""
    return [name for name, action in view.actions.items() if action.running]


def obsolete(view: View, still_broken: Callable[[TargetView], bool] = lambda t: t.state in BROKEN) -> list[str]:
    """Actions that wait although their reason has gone: the engine recovered by itself, or was stopped."""
    return [
        name
        for name, action in view.actions.items()
        if not action.over
        and not action.running
        and not action.asked_by_a_person
        and (target := view.targets.get(action.request.target))
        and not still_broken(target)
    ]


def last_failed(view: View, target: str) -> bool:
    """Whether the last finished action on this target failed."""
    done = [a for a in view.actions.values() if a.request.target == target and a.finished_at is not None]
    return bool(done) and done[-1].outcome is Outcome.FAILED


# Sentences

_UNEXPLAINED = Text(
    "it did not start, and the reason is not known: a blind retry could repeat it for ever",
    "启动失败且原因不明：盲目重试可能会一直失败",
)
_STANDS_STILL = Text(
    "its start stands still: it is left as it is, so that one can look at what it waits for",
    "启动停滞：保持现状不动，便于查看它在等什么",
)
_CRASHED_UNEXPLAINED = Text("it died, the cause is not known; a restart is tried", "引擎已退出，原因不明；尝试重启")
_OBSERVED = Text(
    "a restart would help, but this server is only observed (mode: observe)",
    "重启可以恢复，但该服务处于只观察模式（mode: observe）",
)
_REJECTED = Text("the proposed restart was refused", "建议的重启已被拒绝")


def _because(finding: Finding) -> Text:
    return Text(f"{finding.title.en}: a restart cures it", f"{finding.title.zh}：重启可恢复")


def _useless(finding: Finding) -> Text:
    return Text(
        f"{finding.title.en}: the next start would fail the same way; see the remedy",
        f"{finding.title.zh}：再次启动会同样失败，请按处置建议处理",
    )


def _not_ours(finding: Finding | None) -> Text:
    cause = (finding.title.en, finding.title.zh) if finding else ("cause not known", "原因不明")
    return Text(
        f"{cause[0]}. Paramedic did not start this server and does not restart it",
        f"{cause[1]}。该服务不是由 Paramedic 启动的，不会自动重启",
    )


def _budget(policy: Policy) -> Text:
    minutes = f"{policy.window / 60:g}"
    return Text(
        f"{policy.budget} restarts within {minutes} minutes did not last: no further one without a person",
        f"{minutes} 分钟内已重启 {policy.budget} 次仍未恢复：不再自动重启，需要人工处理",
    )
