"""The life of an action, as a table."""

from enum import StrEnum

from paramedic.journal.views import ActionView
from paramedic.model.action import Outcome


class Stage(StrEnum):
    """Where an action stands."""

    WAITING_FOR_APPROVAL = "waiting-for-approval"
    WAITING = "waiting"  # for its time, or for its turn
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"  # Paramedic ended while it ran
    REJECTED = "rejected"


TRANSITIONS: dict[Stage, frozenset[Stage]] = {
    Stage.WAITING_FOR_APPROVAL: frozenset({Stage.WAITING, Stage.REJECTED}),
    Stage.WAITING: frozenset({Stage.RUNNING, Stage.REJECTED}),
    Stage.RUNNING: frozenset({Stage.DONE, Stage.FAILED, Stage.UNKNOWN}),
    Stage.DONE: frozenset(),
    Stage.FAILED: frozenset(),
    Stage.UNKNOWN: frozenset(),
    Stage.REJECTED: frozenset(),
}

_ENDS = {Outcome.DONE: Stage.DONE, Outcome.FAILED: Stage.FAILED, Outcome.UNKNOWN: Stage.UNKNOWN}


def stage(action: ActionView) -> Stage:
    """The stage of an action, from what the journal says of it."""
    if action.rejected_by:
        return Stage.REJECTED
    if action.outcome is not None:
        return _ENDS[action.outcome]
    if action.started_at is not None:
        return Stage.RUNNING
    return Stage.WAITING_FOR_APPROVAL if action.waits_for_approval else Stage.WAITING
