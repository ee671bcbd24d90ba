"""The one tree of expected errors. Each says what is wrong, where, and what to do; each has its exit code."""

from dataclasses import dataclass


class ParamedicError(Exception):
    """Something a person can mend. The text is for that person."""

    exit_code = 2


class UsageError(ParamedicError):
    """A command was used in a way that cannot work."""


class CouldNotTell(ParamedicError):
    """The question could not be evaluated."""

    exit_code = 3


class NoDaemon(ParamedicError):
    """A running `paramedic watch` is needed and there is none, or another one holds the data folder."""

    exit_code = 4


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a file; `line` counts from 1, 0 where the whole file is meant."""

    file: str
    line: int
    text: str
    hint: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.text}" + (f" ({self.hint})" if self.hint else "")


class InvalidFiles(ParamedicError):
    """Every mistake that was found, at once."""

    def __init__(self, problems: list[Problem]) -> None:
        files = list(dict.fromkeys(problem.file for problem in problems))
        self.problems = tuple(sorted(problems, key=lambda problem: (files.index(problem.file), problem.line)))
        super().__init__("\n".join(str(problem) for problem in self.problems))
