"""What a person decides: what it leads to, and with which words it is refused."""

import pytest

from paramedic.journal import events as e
from paramedic.model.action import ActionKind, Outcome
from paramedic.model.errors import UsageError
from paramedic.model.finding import Restart
from paramedic.model.target import EngineState, Mode
from paramedic.model.text import as_written
from paramedic.recovery import by_hand, guard
from tests.fakes.night import BEGIN, INCIDENT, SECOND
from tests.unit.recovery.stories import POLICY, WHY, Story, T, dead, fault

NOW = BEGIN + 100 * SECOND
HELD = e.TargetHeld(T, "li.wei", 0, as_written("profiling"))


def request(name: str, *, approval: bool = False) -> e.ActionRequested:
    return e.ActionRequested(name, ActionKind.RESTART, T, INCIDENT, WHY, 1, approval)


# Hold and resume


def test_a_hold_is_for_a_time_or_until_resume() -> None:
    view = Story().view
    assert by_hand.hold(view, T, "li.wei", None, "why", NOW)[0] == e.TargetHeld(T, "li.wei", 0, as_written("why"))
    assert by_hand.hold(view, T, "li.wei", 90.0, "", NOW)[0].until == NOW + 90 * SECOND


@pytest.mark.parametrize("seconds", [0.0, -5.0, 366 * 86400.0, float("inf"), float("nan")])
def test_a_time_that_is_none(seconds: float) -> None:
    with pytest.raises(UsageError, match="more than 0 s"):
        by_hand.hold(Story().view, T, "li.wei", seconds, "", NOW)


def test_a_held_server_that_dies_is_left_to_the_person_and_taken_up_afterwards() -> None:
    story = Story().then(5, HELD).broken(10, EngineState.DEAD, fault(Restart.CURES))
    assert story.plan(11) == []
    assert story.plan(5000) == []
    story.then(20, by_hand.resume(story.view, T, "li.wei", "")[0])
    assert len(story.requests(21)) == 1


def test_the_same_person_may_change_a_hold_and_another_may_not() -> None:
    view = Story().then(5, HELD).view
    assert by_hand.hold(view, T, "li.wei", 60.0, "longer", NOW)[0].until > 0
    with pytest.raises(UsageError, match=r"is held by li\.wei since .* UTC \(profiling\): say `paramedic resume "):
        by_hand.hold(view, T, "wang", None, "", NOW)
    assert by_hand.resume(view, T, "wang", "")[0].by == "wang"


def test_nobody_holds_it() -> None:
    with pytest.raises(UsageError, match="is not held"):
        by_hand.resume(Story().view, T, "li.wei", "")


def test_a_hold_ends_by_itself_and_only_then() -> None:
    story = Story().then(5, e.TargetHeld(T, "li.wei", BEGIN + 60 * SECOND))
    assert by_hand.ended_holds(story.view, BEGIN + 59 * SECOND) == []
    [(event, because)] = by_hand.ended_holds(story.view, BEGIN + 60 * SECOND)
    assert isinstance(event, e.TargetResumed)
    assert (event.target, event.by) == (T, "paramedic")
    assert because == story.view.targets[T].hold.seq  # type: ignore[union-attr]
    assert by_hand.ended_holds(story.then(60, event).view, NOW) == []
    assert by_hand.ended_holds(Story().then(5, HELD).view, NOW * 2) == []


def test_a_hold_outlives_the_server_that_is_started_anew_by_hand() -> None:
    story = Story(by_us=False)
    added = story.view.targets[T].target
    story.then(5, HELD, e.TargetRemoved(T, WHY), e.TargetAdded(added))
    assert story.view.targets[T].hold is not None


# Restart


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("state", list(EngineState))
def test_a_person_restarts_a_server_in_any_state_and_mode(state: EngineState, mode: Mode) -> None:
    ended, (event, _) = by_hand.restart(Story(mode=mode).state(10, state).view, T, "li.wei", "new weights")
    assert ended == []
    assert (event.by, event.needs_approval, event.not_before, event.incident) == ("li.wei", False, 0, "")
    assert event.reason.en == "li.wei asked for it: new weights"


def test_it_belongs_to_the_open_incident() -> None:
    _, (event, _) = by_hand.restart(dead().view, T, "li.wei", "")
    assert (event.incident, event.reason.zh) == (INCIDENT, "li.wei 要求")


def test_it_takes_the_place_of_one_that_waits() -> None:
    story = dead().then(11, request("ACT-0001", approval=True))
    [(ended, _)], (event, _) = by_hand.restart(story.view, T, "li.wei", "")
    assert isinstance(ended, e.ActionRejected)
    assert (ended.action, ended.by, event.action) == ("ACT-0001", "paramedic", "ACT-0002")
    assert "ACT-0002" in ended.reason.en
    story.then(12, ended, event)
    assert story.asks(13) == []  # a person who restarts it has not refused a restart


def test_one_action_at_a_time() -> None:
    story = dead().tried(11, "ACT-0001", outcome=None)
    with pytest.raises(UsageError, match=r"ACT-0001 \(restart\) is under way"):
        by_hand.restart(story.view, T, "li.wei", "")


def test_a_held_server_is_restarted_by_nobody() -> None:
    with pytest.raises(UsageError, match=r"is held by li\.wei"):
        by_hand.restart(Story().then(5, HELD).view, T, "li.wei", "")


def test_a_server_that_was_found_is_not_restarted() -> None:
    with pytest.raises(UsageError, match="was not started by Paramedic"):
        by_hand.restart(Story(by_us=False).view, T, "li.wei", "")


def test_it_is_outside_of_the_budget_in_both_directions() -> None:
    story = Story()
    for number in range(5):
        _, (event, _) = by_hand.restart(story.view, T, "li.wei", "")
        story.then(10 + number, event, e.ActionStarted(event.action), e.ActionFinished(event.action, Outcome.DONE))
    assert guard.recent(story.view.actions.values(), T, BEGIN + 20 * SECOND, POLICY) == []
    story.broken(20, EngineState.DEAD, fault(Restart.CURES))
    [own] = story.requests(21)
    assert (own.attempt, own.not_before, own.by) == (1, 0, "")


def test_runs_that_a_person_began_are_counted_apart() -> None:
    story = Story()
    _, (event, _) = by_hand.restart(story.view, T, "li.wei", "")
    seen = e.EngineSeen(T, 2, story.view.targets[T].process, True)  # type: ignore[arg-type]
    story.then(10, event, e.ActionStarted(event.action), seen)
    assert (story.view.targets[T].run, story.view.targets[T].runs_by_hand) == (2, 1)


# Yes and no


def test_what_waits_is_approved_or_rejected_whatever_its_capitals() -> None:
    view = dead().then(11, request("ACT-0001", approval=True)).view
    assert by_hand.approve(view, "act-0001", "li.wei")[0] == e.ActionApproved("ACT-0001", "li.wei")
    assert by_hand.reject(view, "ACT-0001", "li.wei", "no")[0].reason == as_written("no")


@pytest.mark.parametrize(
    ("events", "why"),
    [
        ((request("ACT-0001"),), "Paramedic may do it by itself"),
        ((request("ACT-0001", approval=True), e.ActionApproved("ACT-0001", "wang")), "it was approved by wang"),
        ((request("ACT-0001"), e.ActionStarted("ACT-0001")), "it is running"),
        (
            (request("ACT-0001", approval=True), e.ActionRejected("ACT-0001", "wang", as_written("not now"))),
            "it was rejected by wang: not now",
        ),
        (
            (
                request("ACT-0001"),
                e.ActionStarted("ACT-0001"),
                e.ActionFinished("ACT-0001", Outcome.DONE, as_written("it serves")),
            ),
            r"it is over \(done\): it serves",
        ),
    ],
)
def test_one_that_does_not_wait_says_why(events: tuple[e.Event, ...], why: str) -> None:
    view = dead().then(11, *events).view
    for decide in (lambda: by_hand.approve(view, "ACT-0001", "x"), lambda: by_hand.reject(view, "ACT-0001", "x", "")):
        with pytest.raises(UsageError, match=f"ACT-0001 does not wait for approval: {why}"):
            decide()


def test_an_action_that_is_not_there() -> None:
    view = dead().then(11, request("ACT-0001", approval=True)).view
    with pytest.raises(
        UsageError, match=r"no action 'ACT-001' \(did you mean 'ACT-0001'\?\); waiting for approval: ACT-0001"
    ):
        by_hand.approve(view, "ACT-001", "li.wei")
    with pytest.raises(UsageError, match="there is no action 'x'; none waits for approval"):
        by_hand.approve(Story().view, "x", "li.wei")


def test_a_yes_on_a_held_server_waits_for_its_end() -> None:
    view = dead().then(11, request("ACT-0001", approval=True), HELD).view
    with pytest.raises(UsageError, match=r"held by li\.wei .* ACT-0001 waits until `paramedic resume"):
        by_hand.approve(view, "ACT-0001", "wang")
    assert by_hand.reject(view, "ACT-0001", "wang", "")[0].by == "wang"


# Whom a person means

NAMES = ["qwen3-8b@127.0.0.1:8000", "qwen3-32b@127.0.0.1:8001", "bge-m3@127.0.0.1:8002", "bge-m3@127.0.0.1:80"]


@pytest.mark.parametrize(
    ("word", "name"),
    [("qwen3-8b", NAMES[0]), ("QWEN3-3", NAMES[1]), (NAMES[3], NAMES[3]), ("bge-m3@127.0.0.1:8002", NAMES[2])],
)
def test_a_name_or_how_it_begins(word: str, name: str) -> None:
    assert by_hand.full_name(word, NAMES) == name


@pytest.mark.parametrize(
    ("word", "names", "sentence"),
    [
        ("qwen", NAMES, "'qwen' may be any of qwen3-8b@127.0.0.1:8000, qwen3-32b@127.0.0.1:8001: say more of its name"),
        ("qwen3-8b@127.0.0.1:8080", NAMES[:1], "did you mean 'qwen3-8b@127.0.0.1:8000'?"),
        ("", NAMES[:1], "there is no server ''; watched are qwen3-8b@127.0.0.1:8000"),
        ("x", [], "there is no server 'x'; no server is watched"),
    ],
)
def test_a_name_that_is_none(word: str, names: list[str], sentence: str) -> None:
    with pytest.raises(UsageError) as refused:
        by_hand.full_name(word, names)
    assert sentence in str(refused.value)
