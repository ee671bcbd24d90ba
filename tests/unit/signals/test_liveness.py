"""From looks to the state that we may claim: each test is a short story of looks."""

from dataclasses import replace

import pytest

from paramedic.model.target import EngineState as State
from paramedic.model.text import Text
from paramedic.signals.liveness import (
    Answer,
    Figures,
    Limits,
    Liveness,
    Look,
    begin,
    canary_answered,
    canary_due,
    canary_sent,
    judge,
    look_again_soon,
    skip,
)

LIMITS = Limits()


def well(at: float, tokens: float = 0.0, work: float = 0.0, **more: object) -> Look:
    figures = Figures(moved=(tokens, work), work=work, generated=tokens)
    return replace(Look(at, Answer.OK, Answer.OK, figures, server_alive=True, server_cpu_seconds=at), **more)  # type: ignore[arg-type]


def failed(at: float, how: Answer = Answer.REFUSED, **more: object) -> Look:
    return replace(Look(at, how, how), **more)  # type: ignore[arg-type]


def serving(tokens: float = 100.0, work: float = 3.0, at: float = 0.0) -> Liveness:
    return judge(begin(at), well(at, tokens, work), LIMITS)


def out_of_reach(at: float, **more: object) -> Look:
    return failed(at, Answer.ODD, reachable=False, server_alive=True, **more)


def test_what_nothing_leads_to_is_out_of_reach_whatever_comes() -> None:
    now = begin(0.0)
    for at in range(0, 4000, 5):
        now = judge(now, out_of_reach(float(at)), LIMITS)
        assert now.state is State.OUT_OF_REACH
        assert canary_due(now, float(at), LIMITS) is None
        assert not look_again_soon(now)
    assert "--target" in now.reason.en


def test_the_end_of_what_is_out_of_reach_is_a_death_unless_its_log_says_that_it_never_was_ready() -> None:
    now = judge(begin(0.0), out_of_reach(0.0), LIMITS)
    ended = replace(out_of_reach(5.0), server_alive=False)
    assert judge(now, ended, LIMITS).state is State.DEAD
    assert judge(now, replace(ended, stage="serving"), LIMITS).state is State.DEAD
    assert judge(now, replace(ended, stage="loading"), LIMITS).state is State.START_FAILED
    assert judge(now, replace(ended, stopping=True), LIMITS).state is State.STOPPED
    lost = replace(out_of_reach(5.0), core_lost=True)
    assert judge(now, lost, LIMITS).state is State.DEAD


def hang(until: float, canary_fails: bool = True) -> Liveness:
    """SIGSTOP of the engine at 0: answers go on, nothing moves."""
    now = serving()
    at, back = 5.0, None
    while at <= until:
        now = judge(now, well(at, 100.0, 3.0), LIMITS)
        if back is not None and at >= back:
            now, back = canary_answered(now, at, token=not canary_fails), None
            now = judge(now, well(at, 100.0, 3.0), LIMITS)
        if back is None and (patience := canary_due(now, at, LIMITS)):
            now, back = canary_sent(now, at), at + patience
        at += 1.0
    return now


def test_it_is_starting_until_it_answers() -> None:
    now = judge(begin(0), failed(5, server_alive=True, stage="loading"), LIMITS)
    assert (now.state, now.reason.en) == (State.STARTING, "loading")

    assert judge(now, well(20), LIMITS).state is State.SERVING


def test_a_start_of_15_minutes_that_moves_raises_nothing() -> None:
    now = begin(0)
    for at in range(5, 900, 5):
        now = judge(now, failed(at, server_alive=True, stage="loading", log_lines=at // 60), LIMITS)
        assert now.state is State.STARTING


def test_a_start_that_stands_still_is_stalled() -> None:
    now = begin(0)
    for at in range(5, 620, 5):
        now = judge(now, failed(at, server_alive=True, stage="kv-cache", log_lines=7, cpu_seconds=at), LIMITS)

    assert now.state is State.START_STALLED
    assert "kv-cache" in now.reason.en


@pytest.mark.parametrize(("share", "state"), [(0.003, State.START_STALLED), (0.03, State.STARTING)])
def test_processes_that_only_wake_up_now_and_then_do_not_load(share: float, state: State) -> None:
    now = begin(0)
    for at in range(5, 700, 5):
        look = failed(at, server_alive=True, stage="loading", log_lines=7, cpu_seconds=3 + share * at)
        now = judge(now, look, LIMITS)
    assert now.state is state


def test_an_end_before_it_was_ready_is_a_failed_start() -> None:
    assert judge(begin(0), failed(5, server_alive=False), LIMITS).state is State.START_FAILED


def test_a_process_that_is_gone_is_everything() -> None:
    assert judge(serving(), well(1, core_lost=True), LIMITS).state is State.DEAD
    assert judge(serving(), failed(1, server_alive=False), LIMITS).state is State.DEAD


def test_a_person_who_stops_it_raises_nothing() -> None:
    assert judge(serving(), failed(1, server_alive=False, stopping=True), LIMITS).state is State.STOPPED
    assert judge(serving(), failed(1, core_lost=True, stopping=True), LIMITS).state is State.STOPPED


def test_one_failed_look_alone_is_nothing_but_is_looked_at_again_soon() -> None:
    now = judge(serving(), failed(5), LIMITS)

    assert now.state is State.SERVING
    assert look_again_soon(now)
    assert judge(now, well(6, 120), LIMITS).state is State.SERVING


def test_by_its_address_alone_two_refusals_are_down() -> None:
    now = judge(judge(serving(), failed(5), LIMITS), failed(6), LIMITS)

    assert now.state is State.DOWN


def test_a_503_and_then_nothing_is_dead() -> None:
    now = judge(judge(serving(), failed(5, Answer.DEAD), LIMITS), failed(6), LIMITS)

    assert now.state is State.DEAD


def test_503_counts_also_where_its_figures_are_still_answered() -> None:
    once = judge(serving(), well(5, health=Answer.DEAD), LIMITS)
    assert once.state is State.SERVING
    assert judge(once, well(6, health=Answer.DEAD), LIMITS).state is State.DEAD


def test_a_hung_engine_is_silent_within_30_seconds() -> None:
    assert hang(until=21).state is State.SERVING
    assert hang(until=24).state is State.SILENT


def test_a_stall_that_ends_by_itself_is_never_silent() -> None:
    now = hang(until=20)
    now = judge(canary_answered(now, 20.5, token=True), well(21, 130, 3), LIMITS)
    for at in range(22, 40):
        now = judge(now, well(at, 100.0 + at, 3), LIMITS)
        assert now.state is State.SERVING


def test_silence_ends_when_tokens_move_again() -> None:
    now = judge(hang(until=40), well(41, 101, 3), LIMITS)

    assert now.state is State.SERVING
    assert now.canary_failures == 0


def test_before_the_first_token_there_is_more_patience() -> None:
    now = serving(tokens=0.0)
    for at in range(5, 120, 5):
        now = canary_answered(canary_sent(now, at - 1), at, token=False)
        now = judge(now, well(at, 0.0, 3.0), LIMITS)

    assert now.state is State.SERVING


def test_no_canary_for_a_sleeping_engine() -> None:
    asleep = replace(well(5), figures=Figures((0.0,), 2, 100, asleep=True))
    now = judge(serving(), asleep, LIMITS)

    assert now.state is State.SLEEPING
    assert canary_due(now, 500, LIMITS) is None


def test_an_idle_engine_is_asked_for_a_token_now_and_then() -> None:
    now = serving(work=0)

    assert canary_due(now, 30, LIMITS) is None
    assert canary_due(now, 61, LIMITS) is not None
    assert canary_due(canary_sent(now, 61), 70, LIMITS) is None


def test_an_idle_engine_whose_canaries_fail_twice_is_silent() -> None:
    now = serving(work=0)
    for at in (61.0, 125.0):
        now = canary_answered(canary_sent(now, at), at + 20, token=False)
        now = judge(now, well(at + 21, 100, 0), LIMITS)

    assert now.state is State.SILENT


def test_saturation_is_not_silence() -> None:
    now = serving()
    for at in range(5, 180, 5):
        now = canary_answered(canary_sent(now, at - 1), at, token=False)  # it waits behind 300 others
        now = judge(now, well(at, 100.0 + at, 300.0), LIMITS)
        assert now.state is State.SERVING


def test_timeouts_of_a_busy_server_are_never_silence() -> None:
    now = serving()
    for at in range(5, 300, 5):
        look = failed(at, Answer.TIMEOUT, server_alive=True, server_cpu_seconds=float(at))
        now = canary_answered(canary_sent(judge(now, look, LIMITS), at), at + 1, token=False)

    assert now.state is State.UNRESPONSIVE


def test_timeouts_of_a_server_that_does_nothing_are() -> None:
    now = serving()
    for at in range(5, 100, 5):
        look = failed(at, Answer.TIMEOUT, server_alive=True, server_cpu_seconds=1.0)
        now = canary_answered(canary_sent(judge(now, look, LIMITS), at), at + 1, token=False)

    assert now.state is State.SILENT


def test_what_paramedic_did_not_see_counts_for_nothing() -> None:
    now = judge(hang(until=12), well(12, 100, 3), LIMITS)
    now = skip(now, 300)
    now = judge(canary_answered(now, 312, token=False), well(313, 100, 3), LIMITS)

    assert now.state is State.SERVING


def test_an_answer_that_proves_nothing_is_no_failure() -> None:
    now = canary_answered(canary_sent(serving(), 12), 13, token=False, proves_nothing=True)

    assert now.canary_failures == 0


def test_an_engine_that_was_taken_over_while_silent_stays_so_until_a_token_moves() -> None:
    taken_over = replace(begin(0, ready=True), state=State.SILENT, canary_failures=1)
    now = judge(judge(taken_over, well(1, 100, 3), LIMITS), well(6, 100, 3), LIMITS)

    assert now.state is State.SILENT
    assert judge(now, well(11, 101, 3), LIMITS).state is State.SERVING


def test_what_is_no_engine_is_down_with_its_words() -> None:
    page = Text("a web page", "网页")
    now = begin(0, ready=True)
    now = replace(now, ready=False)
    for at in (0, 1):
        now = judge(now, failed(at, Answer.ODD, health_said=page), LIMITS)
    assert (now.state, now.reason) == (State.DOWN, page)


def test_an_engine_that_served_and_answers_oddly_is_not_called_down() -> None:
    now = serving()
    for at in range(1, 20):
        now = judge(now, failed(at, Answer.ODD, health_said=Text("HTTP 502", "HTTP 502")), LIMITS)
    assert (now.state, now.reason.en) == (State.UNRESPONSIVE, "for 18 s: HTTP 502")
