"""What a diagnosis says: causes with evidence, advice, or what is missing to tell."""

from dataclasses import dataclass
from enum import StrEnum

from paramedic.model.level import Category, Level
from paramedic.model.text import Text


class Verdict(StrEnum):
    """The three honest answers."""

    FAULT = "fault"
    HEALTHY = "healthy"
    UNKNOWN = "unknown"


class Restart(StrEnum):
    """What a restart as it was does to this cause."""

    CURES = "cures"
    USELESS = "useless"  # deterministic: the next start fails the same way
    UNNEEDED = "unneeded"  # the engine works: a restart would only hurt


@dataclass(frozen=True, slots=True)
class Evidence:
    """One line that was seen. `line` counts from 1; 0 where the source has no lines (a metric, an exit)."""

    file: str
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Remedy:
    """A cure: words for people, and the exact flags where flags are the cure."""

    id: str
    text: Text
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """A cause (or a piece of advice), ranked by confidence between 0 and 1.

    `since` and `until`: when it showed in the numbers, epoch seconds; None where no numbers showed it.
    """

    cause: str
    family: str
    category: Category
    level: Level
    confidence: float
    title: Text
    summary: Text
    evidence: tuple[Evidence, ...] = ()
    chain: tuple[Evidence, ...] = ()  # from the first error to its fallout
    remedies: tuple[Remedy, ...] = ()
    restart: Restart = Restart.USELESS
    since: float | None = None
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The whole answer. `missing` says what would have been needed, and how to get it."""

    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    advice: tuple[Finding, ...] = ()
    missing: tuple[Text, ...] = ()
