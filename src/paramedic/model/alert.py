"""An alert: a rule that holds for one set of labels."""

from dataclasses import dataclass

from paramedic.model.level import Category, Level
from paramedic.model.text import Text

LabelPairs = tuple[tuple[str, str], ...]  # sorted by name, no empty values


@dataclass(frozen=True, slots=True)
class Alert:
    """One firing rule. `id` is the rule's id and a fingerprint of its labels: `engine-dead-3f2a91c0`."""

    id: str
    rule: str
    target: str  # the name of the target, "" where the rule is about none
    labels: LabelPairs
    level: Level
    category: Category
    summary: Text
    runbook: str = ""
    value: float | None = None
