"""Where an engine is in its life, read from its log: configuring, loading, ... serving, stopping."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from paramedic.diagnosis.lines import lines_of
from paramedic.diagnosis.scan import Anchors
from paramedic.diagnosis.template import Template
from paramedic.model.text import Text

STOPPING = "stopping"
SERVING = "serving"


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


class StageReader:
    """Reads the lines of a log as they come; nearly all cost nothing."""

    def __init__(self, stages: Stages) -> None:
        self._order = [stage.id for stage in stages.stages]
        marks = [(mark, stage.id) for stage in stages.stages for mark in stage.marks]
        self._anchors: Anchors[tuple[Template, str]] = Anchors((mark[0], mark) for mark in marks)

    def opened(self, lines: Sequence[str]) -> list[str]:
        """The stages that these lines open, in order; of one line the latest."""
        found: list[str] = []
        for spot in self._anchors.spots(lines_of(lines), lambda _: False):
            fitting = [stage for mark, stage in spot.items if mark.regex.search(spot.raw)]
            found += [max(fitting, key=self._order.index)] if fitting else []
        return found
