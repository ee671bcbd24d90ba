"""Where an engine is in its life, read from its log: configuring, loading, ... serving, stopping."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from paramedic.diagnosis.anchor import WORD
from paramedic.diagnosis.template import Template
from paramedic.model.text import Text

Item = TypeVar("Item")
STOPPING = "stopping"
SERVING = "serving"


class WordIndex(Generic[Item]):
    """Finds the few templates that can match a line, by the one word that such a line must contain."""

    def __init__(self, entries: Iterable[tuple[Template, Item]]) -> None:
        self._by_word: dict[str, list[tuple[Template, Item]]] = {}
        for template, item in entries:
            self._by_word.setdefault(template.word, []).append((template, item))
        self._words = frozenset(self._by_word)

    def candidates(self, line: str) -> Sequence[tuple[Template, Item]]:
        """The templates worth trying; nearly always none, and then this costs a microsecond or two."""
        words = WORD.findall(line)
        if self._words.isdisjoint(words):
            return ()
        return [entry for word in self._words.intersection(words) for entry in self._by_word[word]]


@dataclass(frozen=True, slots=True)
class Stage:
    """A stretch of an engine's life, the lines that open it, and the functions a traceback shows in it."""

    id: str
    text: Text
    marks: tuple[Template, ...]
    frames: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stages:
    """How one engine's life shows in its log.

    `run_start` opens a new start of the server; `fallout` is what follows a death without being its cause.
    """

    engine: str
    stages: tuple[Stage, ...]
    run_start: tuple[Template, ...]
    fallout: tuple[Template, ...]
    index: WordIndex[str] = field(repr=False, compare=False, default_factory=lambda: WordIndex(()))

    def text(self, stage: str) -> Text:
        """The name of a stage for people."""
        return self.by_id()[stage].text

    def by_id(self) -> Mapping[str, Stage]:
        return {stage.id: stage for stage in self.stages}

    def of_frames(self, functions: frozenset[str]) -> str | None:
        """The stage that a traceback through these functions belongs to; the most telling stage is listed last."""
        for stage in reversed(self.stages):
            if not functions.isdisjoint(stage.frames):
                return stage.id
        return None


def stage_of(line: str, stages: Stages) -> str | None:
    """The stage that this line opens, or None for nearly every line."""
    for template, stage in stages.index.candidates(line):
        if template.regex.search(line):
            return stage
    return None
