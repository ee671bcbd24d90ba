"""Reading a table of numbers with a meaning of their own, such as NVIDIA's Xids, from its file."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from paramedic.diagnosis.number_table import NumberTable, Row
from paramedic.knowledge.fields import Fields
from paramedic.knowledge.yaml_file import YamlFile, did_you_mean
from paramedic.model.text import NO_WORDS, Text

NUMBERS = re.compile(r"\d+(-\d+)?( \d+(-\d+)?)*")


@dataclass(frozen=True, slots=True)
class _Action:
    text: Text
    remedies: tuple[str, ...]


def read_table(id_: str, file: YamlFile, remedies: Collection[str], faults: Collection[str]) -> NumberTable:
    """A whole table; mistakes are noted in its file. A number that stands twice is one of them."""
    fields = Fields(file, ())
    fields.only("hole", "source", "actions", "rows")
    actions = dict(_actions(fields, remedies))
    rows: dict[int, Row] = {}
    for each in fields.items("rows"):
        row = _row(each, actions, faults)
        for number in _numbers(each):
            if number in rows:
                each.wrong("numbers", f"{number} already has a row")
            rows[number] = row
    return NumberTable(id_, fields.string("hole"), rows, fields.string("source"))


def _actions(fields: Fields, remedies: Collection[str]) -> Iterator[tuple[str, _Action]]:
    inner = fields.inner("actions")
    for name in inner or ():
        each = Fields(fields.file, ("actions", name))
        each.only("text", "remedies")
        for remedy in each.strings("remedies"):
            if remedy not in remedies:
                each.wrong("remedies", f"no remedy {remedy!r}", did_you_mean(remedy, remedies))
        yield name, _Action(each.text("text"), each.strings("remedies"))


def _row(fields: Fields, actions: dict[str, _Action], faults: Collection[str]) -> Row:
    fields.only("numbers", "meaning", "action", "fault", "harmless")
    action, fault = fields.string("action"), fields.string("fault")
    if action not in actions:
        fields.wrong("action", f"unknown action {action!r}", did_you_mean(action, actions))
    if fault and fault not in faults:
        fields.wrong("fault", f"no fault {fault!r}", did_you_mean(fault, faults))
    does = actions.get(action, _Action(NO_WORDS, ()))
    return Row(fields.text("meaning"), does.text, does.remedies, fault, fields.flag("harmless"))


def _numbers(fields: Fields) -> Iterator[int]:
    """The numbers of a row: `8`, `39-41`, or several of these with a space between."""
    text = fields.string("numbers", "put the numbers in quotes")
    if not NUMBERS.fullmatch(text):
        fields.wrong("numbers", f"{text!r} are no numbers", 'write "8", "39-41" or "8 39-41"')
        return
    for part in text.split():
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)
