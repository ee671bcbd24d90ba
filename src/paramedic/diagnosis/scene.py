"""The scene of an incident: everything that a diagnosis may look at, and nothing else."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

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
class Scene:
    """What is known. Empty fields mean that nobody looked, never that nothing was there.

    `holds` judges a PromQL condition: True, False, or None where it could not be evaluated.
    `arguments` is the command line of the engine where it is known (else it is read from the log).
    """

    logs: tuple[Log, ...] = ()
    state: EngineState | None = None
    exits: tuple[Exit, ...] = ()
    orphans: tuple[EngineProcess, ...] = ()
    arguments: tuple[str, ...] = ()
    holds: Callable[[str], bool | None] | None = None
    by_person: bool = False
