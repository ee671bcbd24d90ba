"""An event as one JSON line, versioned, and back."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from paramedic.journal import events
from paramedic.journal.events import Event
from paramedic.journal.plain import from_plain, to_plain

FORMAT = 1


@dataclass(frozen=True, slots=True)
class UnknownEvent(Event):
    """An event of a newer version: kept as it is, shown by its name, judged by nobody."""

    name: str
    fields: str  # its JSON


@dataclass(frozen=True, slots=True)
class Entry:
    """An event in its place: number, time (UTC ns) and the number of the event that led to it."""

    seq: int
    at: int
    because: int | None
    event: Event


def event_types() -> Iterator[type[Event]]:
    """Every kind of event that this version writes."""
    return (kind for kind in vars(events).values() if _is_event(kind))


def _is_event(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, Event) and kind is not Event


_TYPES: dict[str, type[Event]] = {kind.__name__: kind for kind in event_types()}


def encode(event: Event) -> str:
    """One line of JSON without the event's place; what we do not know ourselves is given back as it came."""
    if isinstance(event, UnknownEvent):
        return event.fields
    return json.dumps({"v": FORMAT, "type": type(event).__name__, **to_plain(event)}, ensure_ascii=False)


def decode(line: str) -> Event:
    """The event of a line; one of an unknown type or shape becomes an UnknownEvent, never an error."""
    return _event(json.loads(line))


def _event(data: dict[str, Any]) -> Event:
    name = str(data.get("type", ""))
    kind = _TYPES.get(name)
    if kind is not None:
        try:
            event: Event = from_plain(kind, data)
        except (KeyError, TypeError, ValueError):
            pass
        else:
            return event
    return UnknownEvent(name, json.dumps(data, ensure_ascii=False))


def document(entry: Entry) -> dict[str, Any]:
    """An entry for machines: what `watch --json` prints a line of, and the API sends."""
    place = {"seq": entry.seq, "at": entry.at}
    if isinstance(entry.event, UnknownEvent):
        return {**place, "type": entry.event.name, "because": entry.because, **_without_place(entry.event.fields)}
    return {**place, "type": type(entry.event).__name__, "because": entry.because, **to_plain(entry.event)}


def from_document(fields: dict[str, Any]) -> Entry:
    """The reverse of `document`."""
    event = {name: value for name, value in fields.items() if name not in _PLACE}
    return Entry(int(fields["seq"]), int(fields["at"]), fields.get("because"), _event(event))


_PLACE = frozenset({"seq", "at", "because"})


def _without_place(line: str) -> dict[str, Any]:
    return {name: value for name, value in json.loads(line).items() if name not in _PLACE}
