"""What a person decides about a server: hands off, hands on again, restart it, yes or no to a proposal.

Pure: (view, words) -> events. What cannot be is refused with a sentence, as a UsageError.
"""

import difflib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from paramedic.journal.events import (
    ActionApproved,
    ActionRejected,
    ActionRequested,
    Event,
    TargetHeld,
    TargetResumed,
)
from paramedic.journal.views import ActionView, Hold, TargetView, View
from paramedic.model.action import ActionKind
from paramedic.model.errors import UsageError
from paramedic.model.text import Text, as_written
from paramedic.recovery.guard import SECOND
from paramedic.recovery.lifecycle import Stage, stage

Decision = tuple[Event, int | None]  # an event, and the number of the event that led to it

PARAMEDIC = "paramedic"
LONGEST_HOLD = 365 * 86400.0  # seconds
_NEVER_BEGUN = Text("Paramedic ended before it began: ask again", "尚未开始 Paramedic 就退出了：请重新要求")
_OVER = Text("its time is over", "到时间了")


def hold(view: View, target: str, by: str, seconds: float | None, reason: str, now: int) -> tuple[TargetHeld, int]:
    """Hands off. `seconds`: for how long; None: until somebody says `resume`. The same person may say it anew."""
    if seconds is not None and not 0 < seconds <= LONGEST_HOLD:
        raise UsageError("a hold lasts for more than 0 s and at most for 365 days; without a time, until `resume`")
    known = target_of(view, target)
    if known.hold is not None and known.hold.by != by:
        raise UsageError(f"{_held(known.target.name, known.hold)}: say `paramedic resume {known.target.name}` first")
    until = 0 if seconds is None else now + int(seconds * SECOND)
    return TargetHeld(known.target.name, by, until, as_written(reason)), known.state_seq or known.added_seq


def resume(view: View, target: str, by: str, reason: str) -> tuple[TargetResumed, int]:
    """Hands on again, whoever said hold."""
    known = target_of(view, target)
    if known.hold is None:
        raise UsageError(f"{known.target.name} is not held")
    return TargetResumed(known.target.name, by, as_written(reason)), known.hold.seq


def ended_holds(view: View, now: int) -> list[Decision]:
    """Holds whose time has passed, also of servers that are not watched just now."""
    return [
        (TargetResumed(name, PARAMEDIC, _OVER), target.hold.seq)
        for name, target in view.targets.items()
        if target.hold is not None and 0 < target.hold.until <= now
    ]


def restart(view: View, target: str, by: str, reason: str) -> tuple[list[Decision], tuple[ActionRequested, int]]:
    """A restart because a person says so, whatever state the server is in; and the end of those that it replaces.

    Mode and budget bind Paramedic, not people; that there is one action at a time, and a hold, bind both.
    """
    known = target_of(view, target)
    name = known.target.name
    if not known.started_by_us:
        raise UsageError(
            f"{name} was not started by Paramedic, which does not know how to start it: restart it where it was "
            "started, or let Paramedic start it: paramedic watch -- vllm serve ..."
        )
    if known.hold is not None:
        raise UsageError(f"{_held(name, known.hold)}: say `paramedic resume {name}` first")
    if running := view.running_action(name):
        raise UsageError(f"{running.request.action} ({running.kind}) is under way on {name}: wait for its end")
    action = f"ACT-{len(view.actions) + 1:04d}"
    replaced = Text(f"{by} asked for {action} instead", f"{by} 改为要求 {action}")
    ended: list[Decision] = [
        (ActionRejected(waiting.request.action, PARAMEDIC, replaced), waiting.requested_seq)
        for waiting in view.actions.values()
        if waiting.request.target == name and not waiting.over
    ]
    incident = view.open_incident(name)
    request = ActionRequested(
        action=action,
        kind=ActionKind.RESTART,
        target=name,
        incident=incident.id if incident else "",
        reason=_asked(by, reason),
        attempt=1,
        needs_approval=False,
        by=by,
    )
    return ended, (request, known.state_seq or known.added_seq)


def never_begun(view: View) -> list[Decision]:
    """Restarts that a person asked an earlier Paramedic for: whoever waited for them has gone, and none comes late."""
    return [
        (ActionRejected(name, PARAMEDIC, _NEVER_BEGUN), action.requested_seq)
        for name, action in view.actions.items()
        if action.asked_by_a_person and action.started_at is None and not action.over
    ]


def approve(view: View, action: str, by: str) -> tuple[ActionApproved, int]:
    """Let a proposed action happen."""
    waiting = _waiting(view, action)
    target = view.targets.get(waiting.request.target)
    if target is not None and target.hold is not None:
        name = target.target.name
        raise UsageError(f"{_held(name, target.hold)}: {action} waits until `paramedic resume {name}`, then approve it")
    return ActionApproved(waiting.request.action, by), waiting.requested_seq


def reject(view: View, action: str, by: str, reason: str) -> tuple[ActionRejected, int]:
    """Refuse it."""
    waiting = _waiting(view, action)
    return ActionRejected(waiting.request.action, by, as_written(reason)), waiting.requested_seq


def target_of(view: View, word: str) -> TargetView:
    """The watched server that a person means."""
    return view.targets[full_name(word, [name for name, target in view.targets.items() if not target.removed])]


def full_name(word: str, names: Sequence[str]) -> str:
    """The one server whose name is this word or begins with it, in capitals or not."""
    exact = [name for name in names if name.lower() == word.lower()]
    meant = exact or [name for name in names if word and name.lower().startswith(word.lower())]
    if len(meant) == 1:
        return meant[0]
    if meant:
        raise UsageError(f"{word!r} may be any of {', '.join(meant)}: say more of its name")
    watched = f"watched are {', '.join(names)}" if names else "no server is watched"
    raise UsageError("; ".join(filter(None, (f"there is no server {word!r}{_did_you_mean(word, names)}", watched))))


def _waiting(view: View, name: str) -> ActionView:
    known = {action.lower(): action for action in view.actions}
    action = view.actions.get(known.get(name.lower(), ""))
    if action is None:
        waiting = [one for one, what in view.actions.items() if what.waits_for_approval]
        rest = f"waiting for approval: {', '.join(waiting)}" if waiting else "none waits for approval"
        hint = _did_you_mean(name.upper(), waiting or view.actions)
        raise UsageError("; ".join(filter(None, (f"there is no action {name!r}{hint}", rest))))
    if stage(action) is not Stage.WAITING_FOR_APPROVAL:
        raise UsageError(f"{action.request.action} does not wait for approval: {_instead(action)}")
    return action


def _instead(action: ActionView) -> str:
    """What became of an action that does not wait for a person."""
    match stage(action):
        case Stage.REJECTED:
            why = f": {action.detail.en}" if action.detail else ""
            return f"it was rejected by {action.rejected_by}{why}"
        case Stage.WAITING if action.approved_by:
            return f"it was approved by {action.approved_by} and begins soon"
        case Stage.WAITING:
            return "Paramedic may do it by itself, and begins soon"
        case Stage.RUNNING:
            return "it is running"
        case ended:
            return f"it is over ({ended.value})" + (f": {action.detail.en}" if action.detail else "")


def _held(name: str, hold: Hold) -> str:
    since = datetime.fromtimestamp(hold.since // SECOND, UTC).strftime("%Y-%m-%d %H:%M UTC")
    why = f" ({hold.reason.en})" if hold.reason else ""
    return f"{name} is held by {hold.by} since {since}{why}"


def _asked(by: str, reason: str) -> Text:
    if not reason:
        return Text(f"{by} asked for it", f"{by} 要求")
    return Text(f"{by} asked for it: {reason}", f"{by} 要求：{reason}")


def _did_you_mean(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""
