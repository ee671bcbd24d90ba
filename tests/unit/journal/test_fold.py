"""Events to a view: the laws of the fold, and what each event changes."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paramedic.journal import events as e
from paramedic.journal.codec import Entry, UnknownEvent, event_types
from paramedic.journal.fold import fold
from paramedic.journal.views import View
from paramedic.model.action import ActionKind, Outcome
from paramedic.model.alert import Alert
from paramedic.model.level import Category, Level
from paramedic.model.target import EngineProcess, EngineState, Exit, Role
from paramedic.model.text import NO_WORDS, Text, as_written
from tests.fakes.night import BEGIN, DEAD, ERRORS, INCIDENT, QWEN, RESTART, SECOND, Pen, crash_and_restart
from tests.unit.journal.events_made_up import journals

T = QWEN.name
TEXT = Text("why", "原因")


# Laws


@settings(max_examples=200, deadline=None)
@given(journals(), st.data())
def test_a_prefix_and_then_the_rest_is_the_whole(entries: list[Entry], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(entries)))
    assert fold(entries[cut:], fold(entries[:cut])) == fold(entries)


@settings(max_examples=100, deadline=None)
@given(journals(), st.data())
def test_unknown_events_change_nothing_but_the_place(entries: list[Entry], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(entries)))
    at = entries[place - 1].at if place else 0
    strange = Entry(place, at, None, UnknownEvent("EngineMoved", "{}"))
    assert fold([*entries[:place], strange, *entries[place:]]) == fold(entries)


@settings(max_examples=100, deadline=None)
@given(journals())
def test_the_view_is_made_only_of_what_the_journal_names(entries: list[Entry]) -> None:
    view = fold(entries)
    named = [entry.event for entry in entries]
    assert set(view.targets) == {one.target.name for one in named if isinstance(one, e.TargetAdded)}
    assert set(view.alerts) == {one.alert.id for one in named if isinstance(one, e.AlertFired)}
    assert set(view.incidents) == {one.incident for one in named if isinstance(one, e.IncidentOpened)}
    assert set(view.actions) == {one.action for one in named if isinstance(one, e.ActionRequested)}
    assert set(view.deliveries) == {one.delivery for one in named if isinstance(one, e.DeliveryRequested)}
    assert view.last_seq == len(entries)


def test_every_type_of_event_has_a_step_or_is_known_to_change_nothing() -> None:
    changes_nothing = {e.DaemonWasLate}
    for kind in set(event_types()) - changes_nothing:
        assert _changes_the_view(kind), f"{kind.__name__} is folded by nobody"


def _changes_the_view(kind: type[e.Event]) -> bool:
    """Whether some event of this type in the middle of a real journal leaves a trace."""
    entries = [*_everything()]
    places = [n for n, entry in enumerate(entries) if type(entry.event) is kind]
    assert places, f"the sample journal has no {kind.__name__}"
    for place in places:
        before, after = fold(entries[:place]), fold(entries[: place + 1])
        before.last_seq, before.last_at = after.last_seq, after.last_at
        if before != after:
            return True
    return False


def _everything() -> list[Entry]:
    pen = Pen()
    pen.entries = crash_and_restart()
    pen.write(901, e.WorkFailed("rule x", "ValueError: x"))
    pen.write(901, e.ClockWasSet(-3600))
    pen.write(902, e.HumanNeeded(INCIDENT, TEXT))
    for number, answer in ((8, e.ActionApproved("ACT-0008", "li")), (9, e.ActionRejected("ACT-0009", "li"))):
        pen.write(903, e.ActionRequested(f"ACT-000{number}", ActionKind.RESTART, T, INCIDENT, TEXT, 1, True))
        pen.write(904, answer)
    pen.write(905, e.TargetHeld(T, "li", 0, as_written("profiling")))
    pen.write(906, e.TargetResumed(T, "li"))
    pen.write(907, e.ReadingRefused(T, as_written("not yours")))
    pen.write(907, e.TargetRemoved(T, as_written("gone")))
    pen.write(908, e.DaemonStopped("stop"))
    return pen.entries


# Targets


def seen(run: int, *, by_us: bool = True) -> e.EngineSeen:
    return e.EngineSeen(T, run, EngineProcess(4000 + run, float(run), Role.API_SERVER), by_us, f"run-{run}.log")


def changed(after: EngineState, run: int = 1) -> e.StateChanged:
    return e.StateChanged(T, run, EngineState.UNKNOWN, after, as_written("seen"))


def folded(*events: e.Event) -> View:
    """The view after these, a second apart."""
    pen = Pen()
    for second, event in enumerate(events):
        pen.write(second, event)
    return fold(pen.entries)


def test_a_new_run_forgets_the_last_ones_end() -> None:
    view = folded(
        e.TargetAdded(QWEN),
        seen(1),
        e.StageReached(T, 1, "loading"),
        e.ProcessEnded(T, 1, Exit(4001, Role.WORKER, signal=9)),
        changed(EngineState.DEAD),
        seen(2),
    )
    target = view.targets[T]
    assert (target.run, target.state, target.exits, target.stage) == (2, EngineState.STARTING, (), "")
    assert target.process is not None
    assert target.process.pid == 4002
    assert (target.log, target.state_seq) == ("run-2.log", 6)


def test_a_found_run_is_unknown_until_somebody_looked() -> None:
    assert folded(e.TargetAdded(QWEN), seen(1, by_us=False)).targets[T].state is EngineState.UNKNOWN


def test_a_state_has_its_time_its_reason_and_its_event() -> None:
    target = folded(e.TargetAdded(QWEN), seen(1), changed(EngineState.DEAD)).targets[T]
    assert (target.state_since, target.state_reason.en, target.state_seq) == (BEGIN + 2 * SECOND, "seen", 3)


def test_the_exits_of_a_run_are_kept_in_order() -> None:
    exits = [Exit(1, Role.WORKER, signal=9), Exit(2, Role.ENGINE_CORE, code=1)]
    view = folded(e.TargetAdded(QWEN), seen(1), *(e.ProcessEnded(T, 1, one) for one in exits))
    assert view.targets[T].exits == tuple(exits)


def test_late_word_of_a_past_run_is_no_news_of_the_new_one() -> None:
    late = (
        e.ProcessEnded(T, 1, Exit(4001, Role.ENGINE_CORE)),
        e.StageReached(T, 1, "stopping"),
        changed(EngineState.DEAD, run=1),
    )
    begun = (e.TargetAdded(QWEN), seen(1), seen(2))
    assert folded(*begun, *late).targets[T] == folded(*begun).targets[T]


def test_a_target_that_comes_back_goes_on_counting_its_runs() -> None:
    view = folded(e.TargetAdded(QWEN), seen(3), e.TargetRemoved(T, as_written("gone")), e.TargetAdded(QWEN))
    assert (view.targets[T].run, view.targets[T].removed) == (3, False)


def test_a_target_that_is_added_again_with_other_settings_has_them() -> None:
    other = replace(QWEN, log="/var/log/other.log")
    assert folded(e.TargetAdded(QWEN), e.TargetAdded(other)).targets[T].target == other


def test_what_is_said_of_a_target_that_nobody_added_is_ignored() -> None:
    assert folded(seen(1), changed(EngineState.DEAD), e.ProcessEnded(T, 1, Exit(1, Role.WORKER))).targets == {}


# Alerts and incidents


def alert(name: str = "engine-dead-1", level: Level = Level.P1, target: str = T) -> Alert:
    return Alert(name, name.rpartition("-")[0], target, (), level, Category.SEVERE, TEXT)


def test_the_worst_alert_gives_the_incident_its_level() -> None:
    view = folded(
        e.AlertFired(alert("a-1", Level.P2)),
        e.IncidentOpened(INCIDENT, T, Level.P2, "a-1"),
        e.AlertFired(alert("b-1", Level.P0)),
        e.AlertJoinedIncident(INCIDENT, "b-1", Level.P0),
        e.AlertFired(alert("c-1", Level.P3)),
        e.AlertJoinedIncident(INCIDENT, "c-1", Level.P3),
    )
    assert view.incidents[INCIDENT].level is Level.P0
    assert view.incidents[INCIDENT].alerts == ("a-1", "b-1", "c-1")
    assert {a.incident for a in view.alerts.values()} == {INCIDENT}


def test_an_alert_that_joins_twice_is_there_once() -> None:
    view = folded(
        e.AlertFired(alert()),
        e.IncidentOpened(INCIDENT, T, Level.P1, "engine-dead-1"),
        e.AlertResolved("engine-dead-1"),
        e.AlertFired(alert()),
        e.AlertJoinedIncident(INCIDENT, "engine-dead-1", Level.P1),
    )
    assert view.incidents[INCIDENT].alerts == ("engine-dead-1",)
    assert [a.alert.id for a in view.firing()] == ["engine-dead-1"]


def test_an_alert_that_fires_again_belongs_to_no_incident_yet() -> None:
    view = folded(
        e.AlertFired(alert()),
        e.IncidentOpened(INCIDENT, T, Level.P1, "engine-dead-1"),
        e.AlertResolved("engine-dead-1"),
        e.IncidentResolved(INCIDENT, as_written("serving")),
        e.AlertFired(alert()),
    )
    assert view.alerts["engine-dead-1"].incident == ""
    assert view.open_incident(T) is None


def test_the_open_incident_of_a_target_is_its_latest() -> None:
    view = folded(
        e.IncidentOpened("INC-1", T, Level.P1, "a"),
        e.IncidentOpened("INC-2", "other", Level.P1, "b"),
        e.IncidentResolved("INC-1", NO_WORDS),
        e.IncidentOpened("INC-3", T, Level.P1, "c"),
    )
    found = view.open_incident(T)
    assert found is not None
    assert found.id == "INC-3"
    assert view.open_incident("nobody") is None


# Actions


def requested(name: str = RESTART, *, approval: bool = False) -> e.ActionRequested:
    return e.ActionRequested(name, ActionKind.RESTART, T, INCIDENT, TEXT, 1, approval)


def test_the_life_of_an_action() -> None:
    opened = e.IncidentOpened(INCIDENT, T, Level.P0, DEAD)
    life = (requested(approval=True), e.ActionApproved(RESTART, "li"), e.ActionStarted(RESTART))
    life += (e.ActionProgressed(RESTART, "stopped"), e.ActionFinished(RESTART, Outcome.FAILED, as_written("port")))  # type: ignore[assignment]
    flags = []
    for end in range(1, len(life) + 1):
        action = folded(opened, *life[:end]).actions[RESTART]
        flags.append((action.waits_for_approval, action.running, action.over))
    assert flags == [
        (True, False, False),
        (False, False, False),
        (False, True, False),
        (False, True, False),
        (False, False, True),
    ]
    view = folded(opened, *life)
    assert view.incidents[INCIDENT].actions == (RESTART,)
    assert (view.actions[RESTART].step, view.actions[RESTART].detail.en) == ("stopped", "port")
    assert view.running_action(T) is None


def test_a_rejected_action_is_over_and_says_who_and_why() -> None:
    action = folded(requested(approval=True), e.ActionRejected(RESTART, "li", as_written("not now"))).actions[RESTART]
    assert (action.over, action.waits_for_approval, action.rejected_by, action.detail.en) == (
        True,
        False,
        "li",
        "not now",
    )


def test_the_running_action_of_a_target_is_its_own() -> None:
    view = folded(requested(), e.ActionStarted(RESTART))
    running = view.running_action(T)
    assert running is not None
    assert running.request.action == RESTART
    assert view.running_action("other") is None


# The rest


def test_a_delivery_counts_its_tries() -> None:
    asked = e.DeliveryRequested("DLV-1", "oncall", INCIDENT, "opened", Level.P0, TEXT)
    tries = (e.DeliveryTried("DLV-1", 1, "HTTP 502"), e.DeliveryTried("DLV-1", 2, "HTTP 503"))
    assert folded(asked, *tries).deliveries["DLV-1"].attempts == 2
    assert folded(asked, *tries).deliveries["DLV-1"].outcome is None
    over = folded(asked, *tries, e.DeliveryFinished("DLV-1", Outcome.DONE, 3)).deliveries["DLV-1"]
    assert (over.attempts, over.outcome) == (3, Outcome.DONE)


def test_a_daemon_is_there_between_its_start_and_its_end() -> None:
    assert folded(e.DaemonStarted("1", 7)).daemon_pid == 7
    assert folded(e.DaemonStarted("1", 7), e.DaemonStopped("stop")).daemon_pid is None


def test_of_a_failure_the_latest_is_known() -> None:
    view = folded(e.WorkFailed("rule x", "a"), e.WorkFailed("rule x", "b"))
    assert view.failures == {"rule x": (BEGIN + SECOND, "b")}


@pytest.mark.parametrize("seconds", [11, 12.25, 16.5, 40, 55, 2000])
def test_a_night_at_each_of_its_moments(seconds: float) -> None:
    entries = [entry for entry in crash_and_restart() if entry.at <= BEGIN + int(seconds * SECOND)]
    view = fold(entries)
    target = view.targets[T]
    dead = 12.1 <= seconds < 17
    assert (target.state is EngineState.DEAD) is dead
    assert {a.alert.id for a in view.firing() if a.alert.target == T} == (
        set() if seconds < 12.2 or seconds > 58 else {DEAD} if seconds < 16 else {DEAD, ERRORS}
    )
    assert (view.running_action(T) is not None) is (13.2 <= seconds < 53)
