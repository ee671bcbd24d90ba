"""The story of an incident: all of it, nothing of another one, in order."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paramedic.journal import events as e
from paramedic.journal.codec import Entry
from paramedic.journal.fold import fold
from paramedic.journal.timeline import known_names, story
from paramedic.model.action import ActionKind, Outcome
from paramedic.model.alert import Alert
from paramedic.model.level import Category, Level
from paramedic.model.target import EngineState
from paramedic.model.text import NO_WORDS, Text
from tests.fakes.night import (
    DEAD,
    EMBED,
    ERRORS,
    INCIDENT,
    OTHER_INCIDENT,
    QUEUE,
    QWEN,
    RESTART,
    Pen,
    by_type,
    crash_and_restart,
    waits_for_a_person,
)


def numbers(entries: Sequence[Entry]) -> list[int]:
    return [entry.seq for entry in entries]


def test_it_begins_with_the_first_sign_and_ends_with_the_last_delivery() -> None:
    told = story(crash_and_restart(), INCIDENT)
    assert isinstance(told[0].event, e.ProcessEnded)
    assert isinstance(told[-1].event, e.DeliveryFinished)
    assert numbers(told) == sorted(numbers(told))


def test_what_the_engine_did_meanwhile_belongs_to_it() -> None:
    told = story(crash_and_restart(), INCIDENT)
    states = [entry.event.after for entry in by_type(told, e.StateChanged) if isinstance(entry.event, e.StateChanged)]
    assert states == [EngineState.DEAD, EngineState.SERVING]
    assert [type(entry.event) for entry in told].count(e.EngineSeen) == 1
    assert [type(entry.event) for entry in told].count(e.StageReached) == 1


def test_that_a_person_held_it_belongs_to_it() -> None:
    pen = Pen()
    pen.write(0, e.TargetAdded(QWEN))
    pen.write(1, e.StateChanged(QWEN.name, 1, EngineState.STARTING, EngineState.SERVING))
    pen.write(2, e.TargetHeld(QWEN.name, "li.wei"))
    pen.write(3, e.TargetHeld(EMBED.name, "li.wei"))
    pen.write(4, e.AlertFired(Alert(DEAD, "engine-dead", QWEN.name, (), Level.P0, Category.SEVERE, Text("a", "b"))))
    pen.write(5, e.IncidentOpened(INCIDENT, QWEN.name, Level.P0, DEAD))
    pen.write(6, e.TargetResumed(QWEN.name, "li.wei"))
    told = [entry.event for entry in story(pen.entries, INCIDENT)]
    assert e.TargetHeld(QWEN.name, "li.wei") in told
    assert e.TargetHeld(EMBED.name, "li.wei") not in told
    assert isinstance(told[-1], e.TargetResumed)


def test_another_servers_trouble_at_the_same_time_does_not() -> None:
    told = story(waits_for_a_person(), INCIDENT)
    assert not any(EMBED.name in str(entry.event) or OTHER_INCIDENT in str(entry.event) for entry in told)


@pytest.mark.parametrize("name", [DEAD, ERRORS, RESTART, "DLV-0002"])
def test_an_alert_an_action_and_a_delivery_tell_the_story_of_their_incident(name: str) -> None:
    entries = crash_and_restart()
    assert story(entries, name) == story(entries, INCIDENT)


def test_an_unknown_name_tells_nothing() -> None:
    assert story(crash_and_restart(), "INC-1999-0001") == []
    assert story([], INCIDENT) == []


def test_known_names_are_those_that_have_a_story() -> None:
    entries = waits_for_a_person()
    names = known_names(entries)
    assert {INCIDENT, OTHER_INCIDENT, DEAD, ERRORS, QUEUE, RESTART} <= set(names)
    assert all(story(entries, name) for name in names)


def _alert(name: str) -> Alert:
    return Alert(name, "r", QWEN.name, (), Level.P2, Category.WARNING, Text("x", "x"))


def test_an_alert_without_an_incident_tells_its_latest_firing_only() -> None:
    pen = Pen()
    pen.write(0, e.AlertFired(_alert("a-1")))
    pen.write(1, e.AlertResolved("a-1"), 1)
    dead = pen.write(2, e.StateChanged(QWEN.name, 1, EngineState.SERVING, EngineState.DOWN, NO_WORDS))
    pen.write(3, e.AlertFired(_alert("a-1")), dead)
    pen.write(4, e.AlertResolved("a-1"), 4)
    pen.write(5, e.StateChanged(QWEN.name, 1, EngineState.DOWN, EngineState.SERVING, NO_WORDS), dead)
    assert numbers(story(pen.entries, "a-1")) == [3, 4, 5]


def test_an_alert_that_fires_again_means_its_latest_incident() -> None:
    pen = Pen()
    pen.write(0, e.AlertFired(_alert("a-1")))
    pen.write(0, e.IncidentOpened("INC-1", QWEN.name, Level.P2, "a-1"), 1)
    pen.write(1, e.AlertResolved("a-1"), 1)
    pen.write(1, e.IncidentResolved("INC-1", NO_WORDS), 3)
    pen.write(9, e.AlertFired(_alert("a-1")))
    pen.write(9, e.IncidentOpened("INC-2", QWEN.name, Level.P2, "a-1"), 5)
    assert numbers(story(pen.entries, "INC-1")) == [1, 2, 3, 4]
    assert numbers(story(pen.entries, "INC-2")) == numbers(story(pen.entries, "a-1")) == [5, 6]


def test_the_walk_back_stops_where_all_was_well() -> None:
    pen = Pen()
    for turn in range(3):
        pen.write(turn, e.StateChanged(QWEN.name, 1, EngineState.DEAD, EngineState.SERVING, NO_WORDS), turn * 2 or None)
        pen.write(turn, e.StateChanged(QWEN.name, 1, EngineState.SERVING, EngineState.DEAD, NO_WORDS), turn * 2 + 1)
    pen.write(9, e.AlertFired(_alert("a-1")), 6)
    pen.write(9, e.IncidentOpened("INC-1", QWEN.name, Level.P2, "a-1"), 7)
    assert numbers(story(pen.entries, "INC-1")) == [6, 7, 8]


STEPS = st.lists(
    st.tuples(st.sampled_from(["fire", "join", "resolve", "act", "finish", "state", "close"]), st.integers(0, 2)),
    max_size=60,
)


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_a_story_holds_all_its_alerts_and_actions_and_those_of_no_other_incident(steps: list[tuple[str, int]]) -> None:
    entries = _play(steps)
    view = fold(entries)
    for incident in view.incidents.values():
        told = [entry.event for entry in story(entries, incident.id)]
        fired = {event.alert.id for event in told if isinstance(event, e.AlertFired)}
        acted = {event.action for event in told if isinstance(event, e.ActionRequested)}
        named = {getattr(event, "incident", incident.id) for event in told}
        assert set(incident.alerts) <= fired
        assert acted == set(incident.actions)
        assert named == {incident.id}
        assert all(story(entries, action) == story(entries, incident.id) for action in incident.actions)


def _play(steps: list[tuple[str, int]]) -> list[Entry]:
    """Three servers, each with at most one open incident, as the pipeline writes them."""
    pen = Pen()
    for second, (step, number) in enumerate(steps):
        _step(pen, second, step, f"server-{number}")
    return pen.entries


def _step(pen: Pen, second: int, step: str, target: str) -> None:
    view = fold(pen.entries)
    incident = view.open_incident(target)
    actions = [name for name, action in view.actions.items() if action.request.target == target and not action.over]
    firing = [a for a in view.firing() if a.alert.target == target]
    last = len(pen.entries) or None
    match step:
        case "state":
            after = EngineState.DEAD if second % 2 else EngineState.SERVING
            pen.write(second, e.StateChanged(target, 1, EngineState.UNKNOWN, after, NO_WORDS), last)
        case "fire" | "join" if not incident or step == "join":
            name = f"alert-{target}-{second}"
            alert = Alert(name, "r", target, (), Level.P2, Category.WARNING, Text("x", "x"))
            fired = pen.write(second, e.AlertFired(alert), last)
            if incident:
                pen.write(second, e.AlertJoinedIncident(incident.id, name, Level.P2), fired)
            else:
                pen.write(second, e.IncidentOpened(f"INC-{len(view.incidents)}", target, Level.P2, name), fired)
        case "resolve" if firing:
            pen.write(second, e.AlertResolved(firing[0].alert.id), firing[0].fired_seq)
        case "act" if incident:
            name = f"ACT-{len(view.actions)}"
            kind = ActionKind.RESTART
            event = e.ActionRequested(name, kind, target, incident.id, Text("x", "x"), 1, False)
            pen.write(second, event, incident.opened_seq)
        case "finish" if actions:
            pen.write(second, e.ActionFinished(actions[0], Outcome.DONE), last)
        case "close" if incident:
            pen.write(second, e.IncidentResolved(incident.id, NO_WORDS), last)
