"""The scene of an incident: everything that a diagnosis may look at, and nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from paramedic.diagnosis.conditions import Value
from paramedic.diagnosis.pattern import MetricsSight
from paramedic.model.target import EngineProcess, EngineState, Exit


@dataclass(frozen=True, slots=True)
class Log:
    """One log as it was written, raw lines without their line ends; `first_line` is the number of lines[0].

    `gap` is (index, lines): so many lines of a log that was too large were left out before lines[index].
    """

    name: str
    lines: Sequence[str]
    first_line: int = 1
    gap: tuple[int, int] = (0, 0)

    def number(self, index: int) -> int:
        """The line's number in the file."""
        place, left_out = self.gap
        return self.first_line + index + (left_out if index >= place else 0)


@dataclass(frozen=True, slots=True)
class Window:
    """From when until when something was so, epoch seconds."""

    since: float
    until: float

    @property
    def seconds(self) -> float:
        return self.until - self.since


@dataclass(frozen=True, slots=True)
class Held:
    """When a sight held, the longest time first, and its figures then."""

    windows: tuple[Window, ...] = ()
    figures: Mapping[str, str] = field(default_factory=dict)


class Numbers(Protocol):
    """The samples of the engine, to be asked."""

    def held(self, sight: MetricsSight, arguments: Mapping[str, Value]) -> Held | None:
        """When it held; None where it never did, or where the samples cannot tell."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What is known. Empty fields mean that nobody looked, never that nothing was there.

    `numbers` are its samples. `changes` is what was changed before: a kind (`configuration`, `version`, `driver`,
    `model`, `neighbour`, `traffic`) to a sentence.
    `arguments` is the command line of the engine where it is known (else it is read from the log).
    """

    logs: tuple[Log, ...] = ()
    state: EngineState | None = None
    exits: tuple[Exit, ...] = ()
    orphans: tuple[EngineProcess, ...] = ()
    arguments: tuple[str, ...] = ()
    numbers: Numbers | None = None
    changes: Mapping[str, str] = field(default_factory=dict)
    by_person: bool = False
