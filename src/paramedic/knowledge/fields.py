"""Reading one mapping of a data file field by field, each mistake noted with its line instead of raised."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Any, TypeVar

from paramedic.diagnosis.conditions import Comparison, parse_comparison
from paramedic.diagnosis.template import Template, compile_template
from paramedic.knowledge.yaml_file import Where, YamlFile, did_you_mean
from paramedic.model.text import Text

Kind = TypeVar("Kind", bound=StrEnum)


class Fields:
    """A mapping at one place of a YAML file. Every reader returns something usable even after a mistake."""

    def __init__(self, file: YamlFile, where: Where) -> None:
        self.file = file
        self.where = where
        data = file.data
        for step in where:
            data = data[step]
        self._data: dict[str, Any] = data if isinstance(data, dict) else {}
        if not isinstance(data, dict):
            what = "nothing stands here" if data is None else "this is something else"
            file.problem(where, f"a mapping (key: value) is needed here, and {what}")

    def __iter__(self) -> Iterator[str]:
        return iter(self._data)

    def keys(self) -> list[str]:
        return list(self._data)

    def __contains__(self, key: str) -> bool:
        return key in self._data

    def only(self, *known: str) -> None:
        """Note every key that is not known."""
        self.file.unknown_keys(self.where, self._data, known)

    def wrong(self, key: str, text: str, hint: str = "") -> None:
        self.file.problem((*self.where, key), text, hint)

    def string(self, key: str, hint: str = "") -> str:
        value = self._data.get(key, "")
        if not isinstance(value, str):
            self.wrong(key, f"{key} must be text", hint)
            return ""
        return value

    def strings(self, key: str) -> tuple[str, ...]:
        """A list of texts; one text stands for a list of one."""
        value = self._data.get(key, [])
        items = [value] if isinstance(value, str) else value
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            self.wrong(key, f"{key} must be a text or a list of texts", "put each in quotes")
            return ()
        return tuple(items)

    def number(self, key: str, default: float) -> float:
        value = self._data.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.wrong(key, f"{key} must be a number")
            return default
        return float(value)

    def flag(self, key: str) -> bool:
        value = self._data.get(key, False)
        if not isinstance(value, bool):
            self.wrong(key, f"{key} must be true or false")
            return False
        return value

    def choice(self, key: str, kind: type[Kind], default: Kind | None) -> Kind:
        """One word of an enumeration; without a default the key is required."""
        words = [str(each) for each in kind]
        value = self._data.get(key, default)
        if value in words:
            return kind(value)
        hint = did_you_mean(str(value), words) or f"one of {', '.join(words)}"
        self.wrong(key, f"{key} is missing" if value is None else f"{key} cannot be {value!r}", hint)
        return default or next(iter(kind))

    def choices(self, key: str, kind: type[Kind]) -> tuple[Kind, ...]:
        found = []
        for word in self.strings(key):
            if word in [str(each) for each in kind]:
                found.append(kind(word))
            else:
                self.wrong(key, f"unknown {key} {word!r}", did_you_mean(word, [str(each) for each in kind]))
        return tuple(found)

    def text(self, key: str) -> Text:
        """A sentence in both languages."""
        texts = self.texts(key)
        return texts[0] if texts else Text("", "")

    def texts(self, key: str) -> tuple[Text, ...]:
        """A sentence in both languages, or a list of variants of one."""
        value = self._data.get(key)
        items: Sequence[object] = value if isinstance(value, list) else [value]
        if value is None or not all(_is_text(item) for item in items):
            self.wrong(key, f"{key} needs a sentence in each language: en and zh")
            return ()
        return tuple(Text(item["en"].strip(), item["zh"].strip()) for item in items if isinstance(item, dict))

    def templates(self, key: str) -> tuple[Template, ...]:
        found = []
        for text in self.strings(key):
            try:
                found.append(compile_template(text))
            except ValueError as error:
                self.wrong(key, f"{text!r}: {error}")
        return tuple(found)

    def comparisons(self, key: str) -> tuple[Comparison, ...]:
        found = []
        for text in self.strings(key):
            try:
                found.append(parse_comparison(text))
            except ValueError as error:
                self.wrong(key, str(error))
        return tuple(found)

    def items(self, key: str) -> list["Fields"]:
        """The mappings of a list."""
        value = self._data.get(key, [])
        if not isinstance(value, list):
            self.wrong(key, f"{key} must be a list", "begin each entry with '- '")
            return []
        return [Fields(self.file, (*self.where, key, position)) for position in range(len(value))]

    def inner(self, key: str) -> "Fields | None":
        """The mapping under a key, None where it is absent."""
        return Fields(self.file, (*self.where, key)) if key in self._data else None


def _is_text(value: object) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() == {"en", "zh"}
        and all(isinstance(each, str) and each.strip() for each in value.values())
    )
