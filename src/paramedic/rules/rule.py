"""A rule: an expression, how long it must hold, and what to say then."""

from dataclasses import dataclass, field

from paramedic.model.level import Category, Level
from paramedic.rules.template import Template
from paramedic.signals.expression import Expression


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a Prometheus rule file. `id` is the alert's name; times are seconds."""

    id: str
    expression: Expression
    level: Level
    category: Category
    summary_en: Template
    summary_zh: Template
    for_s: float = 0.0
    keep_firing_for_s: float = 0.0
    labels: dict[str, Template] = field(default_factory=dict)  # further labels; level and category are fields
    runbook: str = ""
    file: str = ""
    line: int = 0
