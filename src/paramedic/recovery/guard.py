"""Whether an action may happen: its budget, its back-off, and who must agree."""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from paramedic.journal.views import ActionView

SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Policy:
    """The bounds of self-healing. Seconds, except `budget`."""

    budget: int = 3  # restarts of one target in `window`; one more asks for a person
    window: float = 900.0
    backoff: float = 10.0  # before the second try; doubles with each further one
    backoff_limit: float = 300.0
    hang_confirm: float = 60.0  # without progress, before a hung engine is ended


def recent(actions: Iterable[ActionView], target: str, now: int, policy: Policy) -> list[ActionView]:
    """What Paramedic itself began on this target within the window, oldest first. What a person asked for is free."""
    since = now - int(policy.window * SECOND)
    own = (a for a in actions if a.request.target == target and not a.asked_by_a_person)
    return [a for a in own if a.started_at is not None and a.started_at >= since]


def budget_is_spent(tried: int, policy: Policy) -> bool:
    return tried >= policy.budget


def wait_before(tried: int, name: str, policy: Policy) -> float:
    """Seconds to wait before try number `tried` + 1: none before the first, then doubling, a fifth up or down.

    The jitter is drawn from the action's name, so that many servers which die together do not start together,
    and the same journal always gives the same plan.
    """
    if tried == 0:
        return 0.0
    base = min(policy.backoff * 2.0 ** (tried - 1), policy.backoff_limit)
    spread = zlib.crc32(name.encode()) / 0xFFFFFFFF
    return base * (0.8 + 0.4 * spread)
