"""What is done about an incident: a restart, or a person, or nothing. Each test is one short story."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paramedic.journal import events as e
from paramedic.model.action import ActionKind, Outcome
from paramedic.model.finding import Diagnosis, Restart, Verdict
from paramedic.model.target import EngineProcess, EngineState, Mode, Role
from paramedic.model.text import NO_WORDS, Text, as_written
from paramedic.recovery.guard import Policy
from paramedic.recovery.plan import BROKEN, last_failed, obsolete, unfinished
from tests.fakes.night import BEGIN, INCIDENT, SECOND
from tests.unit.recovery.stories import HEALTHY, POLICY, UNKNOWN, Story, T, dead, fault, finding

CURES, USELESS, UNNEEDED = Restart.CURES, Restart.USELESS, Restart.UNNEEDED


# What the diagnosis lets us do


def test_dead_and_a_restart_cures_it_is_one_request() -> None:
    story = dead()
    [(event, because)] = story.plan(11)
    assert isinstance(event, e.ActionRequested)
    assert (event.action, event.kind, event.target, event.incident) == ("ACT-0001", ActionKind.RESTART, T, INCIDENT)
    assert (event.attempt, event.needs_approval, event.not_before) == (1, False, 0)
    assert "a-cause" in event.reason.en
    assert "a-cause" in event.reason.zh
    assert because == story.view.incidents[INCIDENT].diagnosis_seq


def test_a_request_that_waits_is_not_asked_for_again() -> None:
    story = dead()
    story.then(11, *story.requests(11))
    assert story.plan(12) == []


@pytest.mark.parametrize(
    ("state", "diagnosis", "restarts"),
    [
        (EngineState.DEAD, fault(CURES), True),
        (EngineState.DEAD, fault(USELESS), False),
        (EngineState.DEAD, fault(UNNEEDED), True),  # what was found explains something else; it is dead all the same
        (EngineState.DEAD, UNKNOWN, True),
        (EngineState.DEAD, HEALTHY, False),
        (EngineState.DOWN, fault(CURES), True),
        (EngineState.DOWN, UNKNOWN, True),
        (EngineState.START_FAILED, fault(CURES), True),  # a port that is free again, say
        (EngineState.START_FAILED, fault(USELESS), False),
        (EngineState.START_FAILED, fault(UNNEEDED), False),
        (EngineState.START_FAILED, UNKNOWN, False),  # a blind retry could repeat it for ever
        (EngineState.START_FAILED, HEALTHY, False),
    ],
)
def test_a_broken_engine_is_restarted_or_a_person_is_needed(
    state: EngineState, diagnosis: Diagnosis, restarts: bool
) -> None:
    story = Story().broken(10, state, diagnosis)
    assert (len(story.requests(11)), len(story.asks(11))) == ((1, 0) if restarts else (0, 1))


def test_a_deterministic_cause_asks_once_and_names_it() -> None:
    story = Story().broken(10, EngineState.START_FAILED, fault(USELESS))
    [(event, because)] = story.plan(11)
    assert isinstance(event, e.HumanNeeded)
    assert "a-cause" in event.reason.en
    assert because == story.view.incidents[INCIDENT].diagnosis_seq
    story.then(11, event)
    assert story.plan(12) == []
    assert story.plan(5000) == []


def test_the_first_finding_decides() -> None:
    both = Diagnosis(Verdict.FAULT, (finding(USELESS, "first"), finding(CURES, "second")))
    assert Story().broken(10, EngineState.DEAD, both).requests(11) == []


@pytest.mark.parametrize("state", sorted(set(EngineState) - BROKEN - {EngineState.START_STALLED}))
def test_an_engine_that_is_not_broken_is_left_alone(state: EngineState) -> None:
    """Queueing, preemptions, slow answers; starting, asleep, stopped by a person: an alert is no reason to restart."""
    assert Story().broken(10, state, fault(CURES)).plan(5000) == []


def test_without_a_diagnosis_nothing_is_done() -> None:
    assert Story().broken(10, EngineState.DEAD, None).plan(5000) == []


def test_the_diagnosis_of_an_earlier_state_decides_nothing() -> None:
    story = Story().broken(10, EngineState.START_STALLED, fault(CURES)).state(20, EngineState.DEAD)
    assert story.plan(21) == []
    assert len(story.diagnosed(22, fault(CURES)).requests(23)) == 1


def test_a_resolved_incident_and_a_removed_target_are_over() -> None:
    assert dead().then(11, e.IncidentResolved(INCIDENT, NO_WORDS)).plan(12) == []
    assert dead().then(11, e.TargetRemoved(T, NO_WORDS)).plan(12) == []


# A hang


def test_a_hang_is_ended_only_after_it_was_confirmed() -> None:
    """It was called silent after 22 s without progress: 38 s later that makes 60."""
    story = Story().broken(10, EngineState.SILENT, fault(CURES))
    assert story.plan(10 + 37.9) == []
    assert len(story.requests(10 + 38.1)) == 1


def test_a_hang_that_ends_by_itself_meanwhile_is_left_alone() -> None:
    story = Story().broken(10, EngineState.SILENT, fault(CURES)).state(30, EngineState.SERVING)
    assert story.plan(100) == []


# Modes and people


def test_a_server_that_is_only_observed_is_not_touched() -> None:
    story = dead(mode=Mode.OBSERVE)
    assert story.requests(11) == []
    [reason] = story.asks(11)
    assert "observe" in reason


def test_ask_mode_asks() -> None:
    [request] = dead(mode=Mode.ASK).requests(11)
    assert request.needs_approval


def test_what_a_person_refused_is_not_asked_for_again() -> None:
    story = dead(mode=Mode.ASK)
    [request] = story.requests(11)
    story.then(11, request).then(20, e.ActionRejected(request.action, "li.wei", as_written("I look at it")))
    [(event, _)] = story.plan(21)
    assert isinstance(event, e.HumanNeeded)
    assert story.then(21, event).plan(5000) == []


def test_what_paramedic_dropped_itself_may_be_asked_for_again() -> None:
    story = dead()
    [request] = story.requests(11)
    story.then(11, request, e.ActionRejected(request.action, "paramedic", as_written("its reason has gone")))
    story.state(12, EngineState.SERVING).state(13, EngineState.DEAD).diagnosed(14, fault(CURES))
    assert [r.action for r in story.requests(15)] == ["ACT-0002"]


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("state", sorted(BROKEN))
@pytest.mark.parametrize("diagnosis", [fault(CURES), fault(USELESS), UNKNOWN], ids=["cures", "useless", "unknown"])
def test_a_server_that_we_did_not_start_is_never_restarted(
    mode: Mode, state: EngineState, diagnosis: Diagnosis
) -> None:
    story = Story(mode=mode, by_us=False).broken(10, state, diagnosis)
    assert story.requests(5000) == []
    [reason] = story.asks(5000)
    assert "did not start" in reason


# Guards


def test_the_second_try_waits_and_says_how_manieth_it_is() -> None:
    story = dead().tried(11, "ACT-0001")
    story.state(13, EngineState.DEAD).diagnosed(14, fault(CURES))
    [request] = story.requests(15)
    assert (request.action, request.attempt) == ("ACT-0002", 2)
    assert BEGIN + 23 * SECOND <= request.not_before <= BEGIN + 27 * SECOND  # 10 s, a fifth up or down


def test_when_the_budget_is_spent_a_person_is_needed() -> None:
    story = dead().tried(11, "ACT-0001").tried(30, "ACT-0002").tried(60, "ACT-0003")
    story.state(62, EngineState.DEAD).diagnosed(63, fault(CURES))
    assert story.requests(64) == []
    [reason] = story.asks(64)
    assert "3 restarts within 15 minutes" in reason


def test_a_start_that_stands_still_is_left_to_a_person() -> None:
    story = Story().broken(10, EngineState.START_STALLED, UNKNOWN)
    assert story.requests(12) == []
    [reason] = story.asks(12)
    assert "stands still" in reason


def test_a_restart_that_could_not_even_start_is_told_at_once_and_tried_again() -> None:
    taken = Text("not free to start: port 8000 is in use by pid 77 (nginx)", "端口被占用")
    story = dead().tried(11, "ACT-0001", detail=taken)
    assert story.asks(13) == [taken.en]
    assert len(story.requests(13)) == 1
    story.then(13, *(event for event, _ in story.plan(13)))
    assert story.plan(14) == []  # told once, asked for once


def test_a_restart_whose_engine_died_again_is_the_matter_of_the_next_diagnosis() -> None:
    story = dead().tried(11, "ACT-0001", detail=Text("the start ended as dead", "启动失败"))
    process = EngineProcess(9, 0.0, Role.API_SERVER)
    story.then(13, e.EngineSeen(T, 2, process, True)).broken(14, EngineState.DEAD, fault(CURES))
    assert story.asks(16) == []


def test_a_budget_of_nothing_restarts_nothing() -> None:
    assert dead().requests(11, Policy(budget=0)) == []


def test_after_the_window_there_is_a_new_budget() -> None:
    story = dead().tried(11, "ACT-0001").tried(30, "ACT-0002").tried(60, "ACT-0003")
    story.state(62, EngineState.DEAD).diagnosed(63, fault(CURES))
    assert story.requests(910) == []
    assert [request.attempt for request in story.requests(912)] == [3]  # the first one, begun at 11, is forgotten


def test_while_an_action_runs_nothing_else_is_planned() -> None:
    assert dead().tried(11, "ACT-0001", None).plan(5000) == []


def test_other_targets_do_not_share_a_budget() -> None:
    story = dead().tried(11, "ACT-0001").tried(30, "ACT-0002").tried(60, "ACT-0003")
    target = e.TargetAdded(story.view.targets[T].target)
    other = type(target.target)("other@127.0.0.1:1", "http://127.0.0.1:1", target.target.origin, Mode.ACT)
    process = EngineProcess(9, 0.0, Role.API_SERVER)
    story.then(61, e.TargetAdded(other), e.EngineSeen(other.name, 1, process, True))
    story.then(62, e.StateChanged(other.name, 1, EngineState.SERVING, EngineState.DEAD, NO_WORDS))
    story.then(62, e.IncidentOpened("INC-2", other.name, story.view.incidents[INCIDENT].level, "x"))
    story.then(63, e.DiagnosisMade("INC-2", fault(CURES)))
    assert [(r.target, r.attempt) for r in story.requests(64)] == [(other.name, 1)]


# What is left over


def test_an_action_that_was_begun_and_never_ended_is_unfinished() -> None:
    assert unfinished(dead().tried(11, "ACT-0001", None).view) == ["ACT-0001"]
    assert unfinished(dead().tried(11, "ACT-0001").view) == []


@pytest.mark.parametrize("state", list(EngineState))
def test_a_waiting_action_is_obsolete_when_the_engine_is_not_broken(state: EngineState) -> None:
    story = dead()
    story.then(11, *story.requests(11)).state(12, state)
    assert obsolete(story.view) == ([] if state in BROKEN else ["ACT-0001"])


def test_a_running_action_is_never_obsolete() -> None:
    assert obsolete(dead().tried(11, "ACT-0001", None).state(12, EngineState.SERVING).view) == []


def test_whether_the_last_one_failed() -> None:
    assert last_failed(dead().tried(11, "ACT-0001").view, T)
    assert not last_failed(dead().tried(11, "ACT-0001").tried(20, "ACT-0002", Outcome.DONE).view, T)
    assert not last_failed(dead().view, T)


# The guards hold whatever happens

HAPPENINGS = st.lists(
    st.tuples(
        st.sampled_from(["begin", "fail", "finish", "approve", "reject", "recover", "die", "diagnose", "fresh run"]),
        st.floats(0.5, 200.0),
    ),
    max_size=40,
)


@settings(max_examples=100, deadline=None)
@given(HAPPENINGS, st.sampled_from([Mode.ACT, Mode.ASK]), st.integers(0, 3))
def test_never_two_at_once_and_never_more_than_the_budget(
    happenings: list[tuple[str, float]], mode: Mode, budget: int
) -> None:
    policy = Policy(budget=budget, window=900.0)
    story, at = dead(mode=mode), 11.0
    for what, pause in happenings:
        at += pause
        decisions = story.plan(at, policy)
        story.then(at, *(event for event, _ in decisions))
        at += 0.1
        _happen(story, what, at)
        _guards_hold(story, policy)


def _happen(story: Story, what: str, at: float) -> None:
    waiting = [n for n, a in story.view.actions.items() if not a.over and not a.running]
    running = [n for n, a in story.view.actions.items() if a.running]
    may_run = [n for n in waiting if not story.view.actions[n].waits_for_approval]
    match what:
        case "begin" if may_run:
            story.then(at, e.ActionStarted(may_run[0]))
        case "fail" | "finish" if running:
            outcome = Outcome.FAILED if what == "fail" else Outcome.DONE
            story.then(at, e.ActionFinished(running[0], outcome))
        case "approve" if waiting:
            story.then(at, e.ActionApproved(waiting[0], "li"))
        case "reject" if waiting:
            story.then(at, e.ActionRejected(waiting[0], "paramedic"))
        case "recover" | "die":
            story.state(at, EngineState.SERVING if what == "recover" else EngineState.DEAD)
        case "diagnose":
            story.diagnosed(at, fault(CURES))
        case "fresh run":
            run = story.view.targets[T].run + 1
            story.then(at, e.EngineSeen(T, run, EngineProcess(run, 0.0, Role.API_SERVER), True))


def _guards_hold(story: Story, policy: Policy) -> None:
    actions = list(story.view.actions.values())
    assert sum(not action.over for action in actions) <= 1
    begun = sorted(action.started_at for action in actions if action.started_at is not None)
    for first in begun:
        assert sum(first <= one <= first + int(policy.window * SECOND) for one in begun) <= policy.budget


def test_the_waits_of_the_policy_are_used() -> None:
    story = dead().tried(11, "ACT-0001").state(13, EngineState.DEAD).diagnosed(14, fault(CURES))
    [request] = story.requests(15, Policy(backoff=100.0))
    assert request.not_before >= BEGIN + (15 + 80) * SECOND
    assert story.requests(15, POLICY)[0].not_before < request.not_before
