"""The life of an alert as a table: what it is, what is seen, what it becomes and what that says."""

from enum import StrEnum


class Phase(StrEnum):
    """What an alert is."""

    INACTIVE = "inactive"
    PENDING = "pending"  # the expression holds, not yet for long enough
    FIRING = "firing"
    KEPT = "kept"  # it fires on although the expression holds no longer (keep_firing_for)


class Seen(StrEnum):
    """What the evaluation showed."""

    HOLDS = "holds"
    RIPE = "ripe"  # holds, and has for as long as the rule asks
    GONE = "gone"  # holds no longer
    OVER = "over"  # has not held for as long as the alert is to be kept


class Effect(StrEnum):
    """What the journal is told."""

    NONE = "none"
    FIRE = "fire"
    RESOLVE = "resolve"


TABLE: dict[tuple[Phase, Seen], tuple[Phase, Effect]] = {
    (Phase.INACTIVE, Seen.HOLDS): (Phase.PENDING, Effect.NONE),
    (Phase.INACTIVE, Seen.RIPE): (Phase.FIRING, Effect.FIRE),
    (Phase.INACTIVE, Seen.GONE): (Phase.INACTIVE, Effect.NONE),
    (Phase.INACTIVE, Seen.OVER): (Phase.INACTIVE, Effect.NONE),
    (Phase.PENDING, Seen.HOLDS): (Phase.PENDING, Effect.NONE),
    (Phase.PENDING, Seen.RIPE): (Phase.FIRING, Effect.FIRE),
    (Phase.PENDING, Seen.GONE): (Phase.INACTIVE, Effect.NONE),
    (Phase.PENDING, Seen.OVER): (Phase.INACTIVE, Effect.NONE),
    (Phase.FIRING, Seen.HOLDS): (Phase.FIRING, Effect.NONE),
    (Phase.FIRING, Seen.RIPE): (Phase.FIRING, Effect.NONE),
    (Phase.FIRING, Seen.GONE): (Phase.KEPT, Effect.NONE),
    (Phase.FIRING, Seen.OVER): (Phase.INACTIVE, Effect.RESOLVE),
    (Phase.KEPT, Seen.HOLDS): (Phase.FIRING, Effect.NONE),
    (Phase.KEPT, Seen.RIPE): (Phase.FIRING, Effect.NONE),
    (Phase.KEPT, Seen.GONE): (Phase.KEPT, Effect.NONE),
    (Phase.KEPT, Seen.OVER): (Phase.INACTIVE, Effect.RESOLVE),
}
