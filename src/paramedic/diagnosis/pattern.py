"""What we know of faults: each a set of sights, any one of which shows it; the catalogue holds them all."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from paramedic.diagnosis.conditions import Comparison
from paramedic.diagnosis.number_table import NumberTable
from paramedic.diagnosis.stage import Stages
from paramedic.diagnosis.template import Template
from paramedic.model.finding import Remedy, Restart
from paramedic.model.level import Category, Level
from paramedic.model.target import EngineState, Role
from paramedic.model.text import NO_WORDS, Text

Than = Literal["itself", "earlier", "baseline"]
ARGUMENT = re.compile(r"\$([a-z_]+)")  # in an expression: an argument of the engine, or $window


@dataclass(frozen=True, slots=True)
class StatsSight:
    """Consecutive periodic stats lines that all satisfy `conditions`, at least `lines` of them over `seconds`.

    `then_silence`: after the last of them the engine says nothing more for 30 s, or nothing at all.
    `falls`: instead, a value that stood at `falls_from` on two lines falls by `falls_by` while requests go on.
    """

    conditions: tuple[Comparison, ...] = ()
    lines: int = 1
    seconds: float = 0.0
    then_silence: bool = False
    falls: str = ""
    falls_from: float = 0.0
    falls_by: float = 0.0


@dataclass(frozen=True, slots=True)
class Load:
    """What makes a value worse by itself: it may be `within` times as heavy as in the time compared with."""

    value: str
    within: float = 1.25


@dataclass(frozen=True, slots=True)
class Compared:
    """A PromQL value that is at least (`below`: at most) `times` what the target showed under loads no lighter.

    `than`: its own history, before and after (itself) or only before (earlier), or a recorded baseline, and then only
    where there is one.
    `lasting`: seconds for which it must have been so good before.
    """

    value: str
    times: float
    below: bool = False
    than: Than = "itself"
    loads: tuple[Load, ...] = ()
    lasting: float = 8.0


@dataclass(frozen=True, slots=True)
class MetricsSight:
    """PromQL conditions that all hold at once for `seconds`, and figures to tell: name to PromQL.

    `written`: an expression as its author wrote it, where named figures stand for parts of it.
    """

    conditions: tuple[str, ...] = ()
    compared: tuple[Compared, ...] = ()
    seconds: float = 0.0
    figures: Mapping[str, str] = field(default_factory=dict)
    written: Mapping[str, str] = field(default_factory=dict)

    def as_written(self, expression: str) -> str:
        return self.written.get(expression, expression)

    def decisive(self) -> list[str]:
        """Every expression on which the sight depends."""
        return [*self.conditions, *(each.value for each in self.compared)]

    def expressions(self) -> list[str]:
        """Every expression in it."""
        loads = [load.value for each in self.compared for load in each.loads]
        return [*self.decisive(), *loads, *self.figures.values()]


@dataclass(frozen=True, slots=True)
class ExitSight:
    """A process of this role ended. `by_signal` and `code` are None where they do not matter."""

    role: Role
    by_signal: bool | None = None
    code: int | None = None


@dataclass(frozen=True, slots=True)
class Sight:
    """One way in which a fault shows itself; everything that is given must hold."""

    log: tuple[Template, ...] = ()  # any of them, in one line
    unless: tuple[Template, ...] = ()  # but not with one of these in the same line
    stages: tuple[str, ...] = ()  # and only while the engine is in one of these stages
    roles: tuple[Role, ...] = ()  # and only where this process says so
    after: tuple[Template, ...] = ()  # and one of these stands earlier in the same run
    numbers: tuple[Comparison, ...] = ()  # and the numbers that the message named satisfy these
    ended_by: tuple[Template, ...] = ()  # and no such line follows within `within` seconds
    within: float = 0.0
    stats: StatsSight | None = None
    arguments: tuple[Comparison, ...] = ()
    states: tuple[EngineState, ...] = ()
    exits: tuple[ExitSight, ...] = ()
    orphans: bool = False
    metrics: MetricsSight | None = None
    confidence: float = 0.95
    advice: bool | None = None  # seen this way it costs something but breaks nothing; None: as the fault says


@dataclass(frozen=True, slots=True)
class Fault:
    """A cause that we can name. `yields` 0: a cause; 1: a consequence that tells something; 2: a mere death notice.

    `explains`: other faults that it brings about by itself. `follows`: kinds of changes after which it is likelier.
    `ask`: where no program can see it, the question to ask or the command to run; such a fault has no sights.
    """

    id: str
    family: str
    category: Category
    level: Level
    restart: Restart
    title: Text
    summaries: tuple[Text, ...]  # the first whose named numbers are all known is used
    sights: tuple[Sight, ...]
    remedies: tuple[str, ...]
    facts: tuple[Template, ...] = ()
    contradicted_by: tuple[Template, ...] = ()
    advice: bool = False
    yields: int = 0
    source: str = ""
    explains: tuple[str, ...] = ()
    follows: tuple[str, ...] = ()
    ask: Text = NO_WORDS
    table: NumberTable | None = None  # what the number that a message caught means


@dataclass(frozen=True, slots=True)
class RemedyText:
    """A cure as data: texts with variants like a summary's, flags with {named} numbers."""

    id: str
    texts: tuple[Text, ...]
    flags: tuple[str, ...] = ()

    def plain(self) -> Remedy:
        return Remedy(self.id, self.texts[-1], self.flags)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All faults, all remedies by id, and how the engine's own life is read from its log."""

    faults: tuple[Fault, ...]
    remedies: Mapping[str, RemedyText]
    stages: Stages
    by_id: Mapping[str, Fault] = field(default_factory=dict)
    tables: Mapping[str, NumberTable] = field(default_factory=dict)

    def templates(self) -> list[Template]:
        """Every message that any fault looks for."""
        found: dict[str, Template] = {}
        for fault in self.faults:
            for group in (fault.facts, fault.contradicted_by, *((s.log + s.ended_by + s.after) for s in fault.sights)):
                found.update((template.text, template) for template in group)
        return list(found.values())
