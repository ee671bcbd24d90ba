"""A checkpoint of the guide: does this cost time here, by which number, and what to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from paramedic.diagnosis.conditions import Value
from paramedic.diagnosis.latency import Latency
from paramedic.diagnosis.window_figures import Quantile, WindowFigures
from paramedic.model.text import Language, Text

LANGUAGES: tuple[Language, Language] = ("en", "zh")


class Answer(StrEnum):
    """Does it cost time here?"""

    YES = "yes"
    NO = "no"
    UNKNOWN = "could-not-tell"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One checkpoint: its answer, the number behind it, and what to do (where nobody can tell: to be able to)."""

    id: str
    about: str  # ttft, tpot, tail
    question: Text
    answer: Answer
    found: Text
    do: Text


@dataclass(frozen=True, slots=True)
class Evidence:
    """What can be asked of a server: its figures in a window, how it was started, and what its log warned of.

    `settings` and `warnings` are None where nobody could look, which is not the same as: there are none.
    """

    figures: WindowFigures
    latency: Latency
    settings: Mapping[str, Value] | None = None
    weights_gib: float | None = None  # of one GPU
    warnings: tuple[str, ...] | None = None

    def number(self, name: str) -> float | None:
        """A number that it was started with; None where it is not known."""
        value = None if self.settings is None else self.settings.get(name)
        return value if isinstance(value, float) else None

    def word(self, name: str) -> str | None:
        """A word that it was started with, in lower case."""
        value = None if self.settings is None else self.settings.get(name)
        return value.lower() if isinstance(value, str) else None

    def switch(self, name: str) -> bool | None:
        """A switch; None where it is not known."""
        value = None if self.settings is None else self.settings.get(name)
        return value if isinstance(value, bool) else None


@dataclass(frozen=True, slots=True)
class Question:
    """A checkpoint before it is answered."""

    id: str
    about: str
    text: Text
    do: Text  # where it is a yes
    ask: Text  # what would tell it

    def answered(self, yes: bool, found: Text, do: Text | None = None) -> Checkpoint:
        """`do` where the figures tell which of the cures it is."""
        return Checkpoint(self.id, self.about, self.text, Answer.YES if yes else Answer.NO, found, do or self.do)

    def open(self, found: Text, ask: Text | None = None) -> Checkpoint:
        """`ask` where the figures tell what else would have to be known."""
        return Checkpoint(self.id, self.about, self.text, Answer.UNKNOWN, found, ask or self.ask)


NOT_THERE = Text("no figure of it in this window", "该时段没有相关指标")


def words(text: Text, **values: object) -> Text:
    """The text with its numbers, and with other texts, each in its language."""
    return Text(*(text.in_language(lang).format(**_in(lang, values)) for lang in LANGUAGES))


def _in(lang: Language, values: Mapping[str, object]) -> dict[str, object]:
    return {name: value.in_language(lang) if isinstance(value, Text) else value for name, value in values.items()}


def seconds(value: float | None) -> str:
    """`4.2 ms`, `536 ms`, `1.21 s`; a dash where it is not known."""
    if value is None:
        return "–"
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.0f} ms" if value >= 0.01 else f"{value * 1000:.1f} ms"


def bucket(quantile: Quantile | None) -> str:
    """The bucket that a quantile lies in: `300 ms to 500 ms`, `over 80.00 s`."""
    if quantile is None:
        return "–"
    if quantile.high is None:
        return f"> {seconds(quantile.low)}"
    return f"< {seconds(quantile.high)}" if quantile.low == 0 else f"{seconds(quantile.low)} - {seconds(quantile.high)}"
