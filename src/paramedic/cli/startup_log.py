"""What the logs of a server say of its start: its memory, and how it was started."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from paramedic.capacity.startup import Message, Start, lines_worth_a_look, read_starts, says_something
from paramedic.diagnosis.arguments import logged_arguments, resolved_arguments
from paramedic.diagnosis.conditions import Value
from paramedic.diagnosis.lines import Lines
from paramedic.diagnosis.record import read_record

LONGEST = 8_000  # characters of a line that are looked at


class LogLines(Protocol):
    """A log that was read; `gap`: so many lines were left out before lines[index]."""

    @property
    def name(self) -> str: ...
    @property
    def lines(self) -> Sequence[str]: ...
    @property
    def gap(self) -> tuple[int, int]: ...


def starts_of(logs: Iterable[LogLines]) -> list[Start]:
    """The starts that said something of their memory, oldest first."""
    return read_starts(message for log in logs for message in _messages(log))


def settings_of(start: Start) -> dict[str, Value]:
    """How the server was started; what it says of its configuration in the end fills what it was not told."""
    settings: dict[str, Value] = {}
    for text in start.opening:
        given = logged_arguments(text.replace("server_args=ServerArgs(", "args: Namespace("))
        settings = resolved_arguments(text) | settings | given
    if batched := start.all("batched_tokens"):
        settings.setdefault("max_num_batched_tokens", batched[-1].value)
        settings.setdefault("enable_chunked_prefill", True)  # the line says that it is
    return settings


def lines_with(logs: Iterable[LogLines], signs: Sequence[str]) -> Iterator[str]:
    """Every line that holds one of these words."""
    for log in logs:
        if not isinstance(log.lines, Lines):
            yield from (line for line in log.lines if any(sign in line for sign in signs))
            continue
        for block in log.lines.blocks():
            data = block.data[: block.size]
            if any(sign.encode() in data for sign in signs):
                lines = data.decode(errors="replace").split("\n")
                yield from (line for line in lines if any(sign in line for sign in signs))


def _messages(log: LogLines) -> Iterator[Message]:
    place, left_out = log.gap
    for index, raw in _candidates(log.lines):
        record = read_record(raw[:LONGEST])
        number = index + 1 + (left_out if index >= place else 0)
        who = record.tag or getattr(record, "rank", "")
        yield Message(log.name, number, record.text, who, record.level)


def _candidates(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """A log that stays where it is is searched in blocks: gigabytes of requests cost next to nothing."""
    if not isinstance(lines, Lines):
        yield from ((index, raw) for index, raw in enumerate(lines) if says_something(raw))
        return
    for block in lines.blocks():
        for index, line in lines_worth_a_look(block.data[: block.size]):
            yield block.first + index, line.decode(errors="replace")
