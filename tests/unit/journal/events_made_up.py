"""Events of every type with made-up contents, and journals made of them."""

import dataclasses
import types
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from paramedic.journal.codec import Entry, event_types
from paramedic.journal.events import Event

NAMES = st.sampled_from(["a", "b", "引擎@127.0.0.1:8000"])  # few, so that events meet
NUMBERS = st.integers(-(2**63), 2**63 - 1)
REALS = st.floats(allow_nan=False, allow_infinity=False)


def of_annotation(kind: Any, words: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """Any value that a field with this annotation may have."""
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return of_type(kind, words)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is tuple and arguments[-1] is Ellipsis:
        return st.lists(of_annotation(arguments[0], words), max_size=2).map(tuple)
    if origin is tuple:
        return st.tuples(*(of_annotation(argument, words) for argument in arguments))
    if origin in (Union, types.UnionType):
        return st.one_of(*(st.none() if a is type(None) else of_annotation(a, words) for a in arguments))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return st.sampled_from(list(kind))
    return {str: words, int: NUMBERS, float: REALS, bool: st.booleans()}[kind]


def of_type(kind: type[Any], words: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    hints = get_type_hints(kind)
    fields = {field.name: of_annotation(hints[field.name], words) for field in dataclasses.fields(kind)}
    return st.builds(kind, **fields)


def events(words: st.SearchStrategy[str] = NAMES) -> st.SearchStrategy[Event]:
    return st.one_of(*(of_type(kind, words) for kind in event_types()))


def journals() -> st.SearchStrategy[list[Entry]]:
    """Events in their places, in the order of time."""

    def place(written: list[tuple[int, Event]]) -> list[Entry]:
        at, entries = 1_700_000_000_000_000_000, []
        for seq, (pause, event) in enumerate(written, start=1):
            at += pause
            entries.append(Entry(seq, at, None if seq == 1 else seq - 1, event))
        return entries

    return st.lists(st.tuples(st.integers(0, 10**10), events()), max_size=25).map(place)
