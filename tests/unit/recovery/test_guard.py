"""The bounds of self-healing: budget, window, back-off."""

from hypothesis import given
from hypothesis import strategies as st

from paramedic.model.action import Outcome
from paramedic.recovery.guard import Policy, budget_is_spent, recent, wait_before
from tests.fakes.night import BEGIN, SECOND
from tests.unit.recovery.stories import T, dead

POLICY = Policy(budget=3, window=900.0, backoff=10.0, backoff_limit=300.0)
NAMES = st.from_regex(r"ACT-\d{4}", fullmatch=True)


def at(seconds: float) -> int:
    return BEGIN + int(seconds * SECOND)


def test_the_first_try_waits_for_nothing() -> None:
    assert wait_before(0, "ACT-0001", POLICY) == 0.0


@given(st.integers(1, 40), NAMES)
def test_the_wait_doubles_up_to_its_limit_a_fifth_up_or_down(tried: int, name: str) -> None:
    base = min(10.0 * 2 ** (tried - 1), 300.0)
    assert 0.8 * base <= wait_before(tried, name, POLICY) <= 1.2 * base


@given(st.integers(1, 4), NAMES)
def test_each_wait_is_longer_than_the_one_before(tried: int, name: str) -> None:
    assert wait_before(tried + 1, name, POLICY) > wait_before(tried, name, POLICY)


@given(st.integers(0, 40), NAMES)
def test_the_same_journal_gives_the_same_wait(tried: int, name: str) -> None:
    assert wait_before(tried, name, POLICY) == wait_before(tried, name, Policy(backoff=10.0))


def test_servers_that_died_together_do_not_start_together() -> None:
    waits = {round(wait_before(1, f"ACT-{number:04d}", POLICY), 1) for number in range(200)}
    assert len(waits) > 30
    assert min(waits) < 8.5
    assert max(waits) > 11.5


def test_a_person_who_wants_no_wait_gets_none() -> None:
    assert wait_before(5, "ACT-0001", Policy(backoff=0.0)) == 0.0


def test_the_budget_is_spent_when_that_many_were_begun() -> None:
    assert [budget_is_spent(tried, POLICY) for tried in range(5)] == [False, False, False, True, True]
    assert budget_is_spent(0, Policy(budget=0))


def test_only_what_was_begun_within_the_window_counts() -> None:
    story = dead().tried(20, "ACT-0001").tried(500, "ACT-0002").tried(919, "ACT-0003")
    actions = story.view.actions.values()

    def names(seconds: float) -> list[str]:
        return [action.request.action for action in recent(actions, T, at(seconds), POLICY)]

    assert names(920) == ["ACT-0001", "ACT-0002", "ACT-0003"]
    assert names(921) == ["ACT-0002", "ACT-0003"]
    assert names(1401) == ["ACT-0003"]


def test_failed_done_unknown_and_running_ones_all_count() -> None:
    story = (
        dead().tried(20, "ACT-0001", Outcome.DONE).tried(30, "ACT-0002", Outcome.UNKNOWN).tried(40, "ACT-0003", None)
    )
    assert len(recent(story.view.actions.values(), T, at(50), POLICY)) == 3


def test_another_targets_restarts_and_those_that_never_began_do_not_count() -> None:
    story = dead()
    [request] = story.requests(11)
    story.then(11, request)
    assert recent(story.view.actions.values(), T, at(12), POLICY) == []
    story.tried(12, "ACT-0002")
    assert recent(story.view.actions.values(), "other", at(13), POLICY) == []
