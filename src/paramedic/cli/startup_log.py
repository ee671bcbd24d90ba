"""What the logs of a server say of its start: its memory, and how it was started."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from paramedic.capacity.startup import Message, Start, read_starts, says_something
from paramedic.diagnosis.arguments import logged_arguments, resolved_arguments
from paramedic.diagnosis.conditions import Value
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


def _messages(log: LogLines) -> Iterator[Message]:
    place, left_out = log.gap
    for index, raw in enumerate(log.lines):
        if says_something(raw):
            record = read_record(raw[:LONGEST])
            number = index + 1 + (left_out if index >= place else 0)
            yield Message(log.name, number, record.text, record.tag, record.level)
