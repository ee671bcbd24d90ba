"""What Paramedic may do to a server."""

from enum import StrEnum


class ActionKind(StrEnum):
    """The ladder's steps that exist today; each has its reason, budget, verification."""

    RESTART = "restart"


class Outcome(StrEnum):
    """How an action or a delivery ended. `unknown`: we were not there to see it."""

    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"
