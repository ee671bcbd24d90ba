"""The machine's clock was set: what is still going on keeps its age, and nothing lies in the future."""

from dataclasses import replace

from paramedic.journal.views import ActionView, AlertView, Hold, IncidentView, TargetView, View


def shift(view: View, by: int) -> None:
    """Move every time that somebody still counts from by so many nanoseconds; what is over stays as it was written."""
    for name, target in view.targets.items():
        view.targets[name] = _target(target, by)
    for name, alert in view.alerts.items():
        if alert.resolved_at is None:
            view.alerts[name] = _alert(alert, by)
    for name, incident in view.incidents.items():
        if incident.open:
            view.incidents[name] = _incident(incident, by)
    for name, action in view.actions.items():  # those that are over too: the budget counts them
        view.actions[name] = _action(action, by)


def _target(target: TargetView, by: int) -> TargetView:
    return replace(
        target,
        state_since=_moved(target.state_since, by),
        seen_at=_moved(target.seen_at, by),
        stage_since=_moved(target.stage_since, by),
        hold=target.hold and _hold(target.hold, by),
    )


def _hold(hold: Hold, by: int) -> Hold:
    return replace(hold, since=_moved(hold.since, by), until=_moved(hold.until, by))


def _alert(alert: AlertView, by: int) -> AlertView:
    return replace(alert, fired_at=_moved(alert.fired_at, by))


def _incident(incident: IncidentView, by: int) -> IncidentView:
    return replace(incident, opened_at=_moved(incident.opened_at, by), diagnosed_at=_moved(incident.diagnosed_at, by))


def _action(action: ActionView, by: int) -> ActionView:
    return replace(
        action,
        request=replace(action.request, not_before=_moved(action.request.not_before, by)),
        requested_at=_moved(action.requested_at, by),
        started_at=None if action.started_at is None else _moved(action.started_at, by),
        finished_at=None if action.finished_at is None else _moved(action.finished_at, by),
    )


def _moved(at: int, by: int) -> int:
    return at + by if at else 0  # 0: it has not happened
