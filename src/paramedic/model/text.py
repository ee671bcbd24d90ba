"""A sentence for people, in both languages."""

from dataclasses import dataclass
from typing import Literal

Language = Literal["en", "zh"]


@dataclass(frozen=True, slots=True)
class Text:
    """The same sentence in English and Chinese; both are always present."""

    en: str
    zh: str

    def __bool__(self) -> bool:
        """A text without words is false."""
        return bool(self.en or self.zh)

    def in_language(self, language: Language) -> str:
        return self.zh if language == "zh" else self.en


NO_WORDS = Text("", "")


def as_written(words: str) -> Text:
    """What a person wrote, or a name: the same for every reader."""
    return Text(words, words)
