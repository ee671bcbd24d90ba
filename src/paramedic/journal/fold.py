"""Events to a view: each event changes what is so, and nothing else does."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from paramedic.journal import events as e
from paramedic.journal.codec import Entry
from paramedic.journal.shift import shift
from paramedic.journal.views import ActionView, AlertView, DeliveryView, Hold, IncidentView, TargetView, View
from paramedic.model.target import EngineState
from paramedic.model.text import NO_WORDS


def fold(entries: Iterable[Entry], view: View | None = None) -> View:
    """The view after all of `entries`."""
    view = view or View()
    for entry in entries:
        apply(view, entry)
    return view


def apply(view: View, entry: Entry) -> None:
    """Fold one more entry in."""
    view.last_seq, view.last_at = entry.seq, entry.at
    if step := _STEPS.get(type(entry.event)):
        step(view, entry, entry.event)


# One step an event type: (view, entry, event). `Any`, since the table below pairs each with its own type.


def _daemon_started(view: View, _: Entry, event: e.DaemonStarted) -> None:
    view.daemon_pid = event.pid


def _daemon_stopped(view: View, _entry: Entry, _event: e.DaemonStopped) -> None:
    view.daemon_pid = None


def _clock_was_set(view: View, _: Entry, event: e.ClockWasSet) -> None:
    view.clock_set_by += event.seconds
    shift(view, event.seconds * 1_000_000_000)


def _work_failed(view: View, entry: Entry, event: e.WorkFailed) -> None:
    view.failures[event.work] = (entry.at, event.error)


def _target_added(view: View, entry: Entry, event: e.TargetAdded) -> None:
    known = view.targets.get(event.target.name)
    if known is None:
        view.targets[event.target.name] = TargetView(event.target, entry.seq, state_since=entry.at)
    else:
        view.targets[event.target.name] = replace(known, target=event.target, added_seq=entry.seq, removed=False)


def _change_target(view: View, name: str, **changes: Any) -> None:
    if known := view.targets.get(name):
        view.targets[name] = replace(known, **changes)


def _target_removed(view: View, _: Entry, event: e.TargetRemoved) -> None:
    _change_target(view, event.target, removed=True)


def _target_held(view: View, entry: Entry, event: e.TargetHeld) -> None:
    _change_target(view, event.target, hold=Hold(event.by, entry.at, event.until, event.reason, entry.seq))


def _target_resumed(view: View, _: Entry, event: e.TargetResumed) -> None:
    _change_target(view, event.target, hold=None)


def _engine_seen(view: View, entry: Entry, event: e.EngineSeen) -> None:
    action, known = view.running_action(event.target), view.targets.get(event.target)
    _change_target(
        view,
        event.target,
        run=event.run,
        state=EngineState.STARTING if event.started_by_us else EngineState.UNKNOWN,  # the last run's is over
        state_since=entry.at,
        state_reason=NO_WORDS,
        state_seq=entry.seq,
        process=event.process,
        started_by_us=event.started_by_us,
        seen_at=entry.at,
        log=event.log,
        stage="",
        stage_since=entry.at,
        exits=(),
        unreadable=NO_WORDS,
        runs_by_hand=(known.runs_by_hand if known else 0) + bool(action and action.asked_by_a_person),
    )


def _reading_refused(view: View, _: Entry, event: e.ReadingRefused) -> None:
    _change_target(view, event.target, unreadable=event.what)


def _is_past(view: View, event: e.StageReached | e.ProcessEnded | e.StateChanged) -> bool:
    """Whether it tells of a run that another has followed: word of an end comes late, and is no news of the new one."""
    known = view.targets.get(event.target)
    return known is not None and event.run < known.run


def _stage_reached(view: View, entry: Entry, event: e.StageReached) -> None:
    if not _is_past(view, event):
        _change_target(view, event.target, stage=event.stage, stage_since=entry.at)


def _process_ended(view: View, _: Entry, event: e.ProcessEnded) -> None:
    known = view.targets.get(event.target)
    if known is not None and not _is_past(view, event):
        view.targets[event.target] = replace(known, exits=(*known.exits, event.exit))


def _state_changed(view: View, entry: Entry, event: e.StateChanged) -> None:
    if _is_past(view, event):
        return
    _change_target(
        view,
        event.target,
        state=event.after,
        state_since=entry.at,
        state_reason=event.reason,
        state_seq=entry.seq,
    )


def _alert_fired(view: View, entry: Entry, event: e.AlertFired) -> None:
    view.alerts[event.alert.id] = AlertView(event.alert, entry.at, entry.seq)


def _alert_resolved(view: View, entry: Entry, event: e.AlertResolved) -> None:
    if known := view.alerts.get(event.alert):
        view.alerts[event.alert] = replace(known, resolved_at=entry.at)


def _attach(view: View, incident: str, alert: str) -> None:
    if known := view.alerts.get(alert):
        view.alerts[alert] = replace(known, incident=incident)


def _incident_opened(view: View, entry: Entry, event: e.IncidentOpened) -> None:
    view.incidents[event.incident] = IncidentView(
        event.incident, event.target, event.level, entry.at, entry.seq, (event.alert,)
    )
    _attach(view, event.incident, event.alert)


def _change_incident(view: View, name: str, **changes: Any) -> None:
    if known := view.incidents.get(name):
        view.incidents[name] = replace(known, **changes)


def _alert_joined(view: View, _: Entry, event: e.AlertJoinedIncident) -> None:
    if known := view.incidents.get(event.incident):
        alerts = known.alerts if event.alert in known.alerts else (*known.alerts, event.alert)
        _change_incident(view, event.incident, alerts=alerts, level=min(known.level, event.level))
        _attach(view, event.incident, event.alert)


def _diagnosis_made(view: View, entry: Entry, event: e.DiagnosisMade) -> None:
    _change_incident(view, event.incident, diagnosis=event.diagnosis, diagnosis_seq=entry.seq, diagnosed_at=entry.at)


def _incident_resolved(view: View, entry: Entry, event: e.IncidentResolved) -> None:
    _change_incident(view, event.incident, resolved_at=entry.at, resolved_reason=event.reason)


def _human_needed(view: View, entry: Entry, event: e.HumanNeeded) -> None:
    _change_incident(view, event.incident, human_needed=event.reason, human_seq=entry.seq)


def _action_requested(view: View, entry: Entry, event: e.ActionRequested) -> None:
    view.actions[event.action] = ActionView(event, entry.at, entry.seq)
    if known := view.incidents.get(event.incident):
        _change_incident(view, event.incident, actions=(*known.actions, event.action))


def _change_action(view: View, name: str, **changes: Any) -> None:
    if known := view.actions.get(name):
        view.actions[name] = replace(known, **changes)


def _action_approved(view: View, _: Entry, event: e.ActionApproved) -> None:
    _change_action(view, event.action, approved_by=event.by)


def _action_rejected(view: View, entry: Entry, event: e.ActionRejected) -> None:
    _change_action(view, event.action, rejected_by=event.by, detail=event.reason, finished_seq=entry.seq)


def _action_started(view: View, entry: Entry, event: e.ActionStarted) -> None:
    _change_action(view, event.action, started_at=entry.at, started_seq=entry.seq)


def _action_progressed(view: View, _: Entry, event: e.ActionProgressed) -> None:
    _change_action(view, event.action, step=event.step)


def _action_finished(view: View, entry: Entry, event: e.ActionFinished) -> None:
    _change_action(
        view,
        event.action,
        finished_at=entry.at,
        finished_seq=entry.seq,
        outcome=event.outcome,
        detail=event.detail,
    )


def _delivery_requested(view: View, entry: Entry, event: e.DeliveryRequested) -> None:
    view.deliveries[event.delivery] = DeliveryView(event, entry.at, entry.seq)


def _delivery_tried(view: View, _: Entry, event: e.DeliveryTried) -> None:
    if known := view.deliveries.get(event.delivery):
        view.deliveries[event.delivery] = replace(known, attempts=event.attempt, detail=event.detail)


def _delivery_finished(view: View, _: Entry, event: e.DeliveryFinished) -> None:
    if known := view.deliveries.get(event.delivery):
        view.deliveries[event.delivery] = replace(
            known, attempts=event.attempts, outcome=event.outcome, detail=event.detail
        )


_STEPS: dict[type[e.Event], Callable[[View, Entry, Any], None]] = {
    e.DaemonStarted: _daemon_started,
    e.DaemonStopped: _daemon_stopped,
    e.ClockWasSet: _clock_was_set,
    e.WorkFailed: _work_failed,
    e.TargetAdded: _target_added,
    e.TargetRemoved: _target_removed,
    e.TargetHeld: _target_held,
    e.TargetResumed: _target_resumed,
    e.EngineSeen: _engine_seen,
    e.ReadingRefused: _reading_refused,
    e.StageReached: _stage_reached,
    e.ProcessEnded: _process_ended,
    e.StateChanged: _state_changed,
    e.AlertFired: _alert_fired,
    e.AlertResolved: _alert_resolved,
    e.IncidentOpened: _incident_opened,
    e.AlertJoinedIncident: _alert_joined,
    e.DiagnosisMade: _diagnosis_made,
    e.IncidentResolved: _incident_resolved,
    e.HumanNeeded: _human_needed,
    e.ActionRequested: _action_requested,
    e.ActionApproved: _action_approved,
    e.ActionRejected: _action_rejected,
    e.ActionStarted: _action_started,
    e.ActionProgressed: _action_progressed,
    e.ActionFinished: _action_finished,
    e.DeliveryRequested: _delivery_requested,
    e.DeliveryTried: _delivery_tried,
    e.DeliveryFinished: _delivery_finished,
}
