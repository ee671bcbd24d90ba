"""An event survives its line, whatever it holds; what a newer version wrote is kept."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paramedic.journal.codec import (
    FORMAT,
    Entry,
    UnknownEvent,
    decode,
    document,
    encode,
    event_types,
    from_document,
)
from paramedic.journal.events import ActionStarted, Event, StateChanged, TargetRemoved
from paramedic.model.target import EngineState
from paramedic.model.text import as_written
from tests.fakes.night import waits_for_a_person
from tests.unit.journal.events_made_up import events, of_type

WORDS = st.text()


@pytest.mark.parametrize("kind", list(event_types()), ids=lambda kind: kind.__name__)
def test_every_type_of_event_survives_its_line(kind: type[Event]) -> None:
    @settings(max_examples=25, deadline=None)
    @given(of_type(kind, WORDS))
    def survives(event: Event) -> None:
        line = encode(event)
        assert decode(line) == event
        assert "\n" not in line

    survives()


@settings(max_examples=100, deadline=None)
@given(events(WORDS), st.integers(1, 2**62), st.integers(0, 2**62), st.none() | st.integers(1, 2**62))
def test_a_document_is_json_and_leads_back_to_its_entry(event: Event, seq: int, at: int, because: int | None) -> None:
    entry = Entry(seq, at, because, event)
    assert from_document(json.loads(json.dumps(document(entry)))) == entry


def test_a_real_night_survives() -> None:
    for entry in waits_for_a_person():
        assert decode(encode(entry.event)) == entry.event
        assert from_document(document(entry)) == entry


def test_a_line_says_its_format_and_type() -> None:
    assert json.loads(encode(ActionStarted("ACT-0001"))) == {"v": FORMAT, "type": "ActionStarted", "action": "ACT-0001"}


def test_no_field_of_an_event_hides_its_place() -> None:
    """`document` puts the place and the fields into one object: their names may not meet."""
    for kind in event_types():
        fields = set(getattr(kind, "__dataclass_fields__", {}))
        assert not fields & {"seq", "at", "type", "because", "v"}, kind


def test_an_event_of_a_newer_version_is_kept_as_it_is() -> None:
    line = '{"v": 9, "type": "EngineMoved", "target": "a", "to": {"host": "引擎"}}'

    event = decode(line)

    assert isinstance(event, UnknownEvent)
    assert event.name == "EngineMoved"
    assert json.loads(event.fields) == json.loads(line)
    assert json.loads(encode(event)) == json.loads(line)


def test_machines_are_told_an_event_of_a_newer_version_as_that_version_would_tell_it() -> None:
    entry = Entry(7, 9, 6, decode('{"v": 9, "type": "EngineMoved", "target": "a", "at": "elsewhere"}'))

    told = document(entry)

    assert told == {"seq": 7, "at": 9, "type": "EngineMoved", "because": 6, "v": 9, "target": "a"}
    again = from_document(told)
    assert (again.seq, again.at, again.because) == (7, 9, 6)
    assert isinstance(again.event, UnknownEvent)
    assert document(again) == told


@pytest.mark.parametrize(
    "line",
    [
        '{"type": "StateChanged", "target": "a", "run": 1, "before": "serving", "after": "enlightened", "reason": ""}',
        '{"type": "ActionStarted"}',
        '{"type": "TargetAdded", "target": 7}',
        '{"type": "DaemonStopped", "reason": "stop", "engines_left": 7}',
        '{"target": "a"}',
    ],
)
def test_a_known_type_in_a_shape_that_we_cannot_read_is_an_unknown_event(line: str) -> None:
    assert isinstance(decode(line), UnknownEvent)


def test_what_a_newer_version_added_to_an_event_is_ignored() -> None:
    line = json.dumps({**json.loads(encode(TargetRemoved("a", as_written("gone")))), "by": "li.wei"})
    assert decode(line) == TargetRemoved("a", as_written("gone"))


def test_what_an_older_version_did_not_write_has_its_default() -> None:
    fields = {"type": "EngineSeen", "target": "a", "run": 1, "started_by_us": True}
    event = decode(json.dumps({**fields, "process": {"pid": 1, "started": 2.0, "role": "worker"}}))
    assert getattr(event, "log", None) == ""


def test_a_state_is_written_as_its_word() -> None:
    line = encode(StateChanged("a", 1, EngineState.SERVING, EngineState.START_FAILED, as_written("x")))
    assert json.loads(line)["after"] == "start_failed"
