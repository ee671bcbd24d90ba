"""Latency is taken apart by what histograms grew by: recorded runs give the figures that were measured beside them."""

import math

import pytest

from paramedic.diagnosis.latency import Normal, take_apart
from paramedic.diagnosis.window_figures import Distribution
from tests.unit.diagnosis.windows import histogram, made, recorded

CROWD = (1795506019.0, 1795506054.0)
BEFORE = (1795506002.0, 1795506018.0)


def test_too_small_steps_show_as_queue() -> None:
    """The same traffic: 22 ms of queue with steps of 8,192 tokens, 536 ms with steps of 256."""
    wide, narrow = take_apart(recorded("step-budget-8192")), take_apart(recorded("step-budget-256"))
    assert wide is not None
    assert narrow is not None
    assert wide.mean("queue") == pytest.approx(0.022, abs=0.003)
    assert narrow.mean("queue") == pytest.approx(0.536, abs=0.02)
    assert (narrow.share("queue") or 0) > 4 * (wide.share("queue") or 0)
    assert narrow.ttft is not None
    assert narrow.ttft.mean == pytest.approx(0.641, abs=0.02)  # as the clients measured it


def test_a_crowd_shows_as_queue() -> None:
    before, during = take_apart(recorded("crowd", *BEFORE)), take_apart(recorded("crowd", *CROWD))
    assert before is not None
    assert during is not None
    assert before.share("queue") == pytest.approx(0.0, abs=0.01)
    assert during.share("queue") == pytest.approx(0.26, abs=0.03)
    assert during.mean("queue") == pytest.approx(1.3, abs=0.1)


@pytest.mark.parametrize("name", ["step-budget-8192", "step-budget-256", "crowd", "preemptions", "healthy"])
def test_shares_add_up(name: str) -> None:
    latency = take_apart(recorded(name))
    assert latency is not None
    shares = [latency.share(part) for part in ("queue", "prefill", "decode", "front-end")]
    assert None not in shares
    assert sum(share or 0.0 for share in shares) == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("name", ["step-budget-8192", "step-budget-256"])
def test_the_guides_sum_is_the_measured_end_to_end(name: str) -> None:
    latency = take_apart(recorded(name))
    assert latency is not None
    assert latency.e2e is not None
    assert latency.output_tokens == 32
    assert latency.prompt_tokens == 2048
    assert latency.sum_law == pytest.approx(latency.e2e.mean, rel=0.02)


def test_what_was_before_the_window_does_not_count() -> None:
    """A lifetime of slow requests, then ten fast ones."""
    first = histogram("vllm:e2e_request_latency_seconds", [1, 10], [0, 1000, 0], 9000.0)
    second = histogram("vllm:e2e_request_latency_seconds", [1, 10], [10, 1000, 0], 9005.0)
    latency = take_apart(made(first, second))
    assert latency is not None
    assert latency.requests == 10
    assert latency.e2e is not None
    assert latency.e2e.mean == pytest.approx(0.5)


def test_a_restart_inside_the_window() -> None:
    name = "vllm:e2e_request_latency_seconds"
    pages = [histogram(name, [1], [count, 0], count * 0.5) for count in (100, 110, 4, 9)]
    latency = take_apart(made(*pages))
    assert latency is not None
    assert latency.requests == 19  # 10 before it, 9 since


def test_a_window_is_as_long_as_somebody_looked() -> None:
    """Five minutes were asked for, ten seconds were seen."""
    first = histogram("vllm:e2e_request_latency_seconds", [1], [0, 0], 0.0) | {"vllm:generation_tokens_total": 0.0}
    second = histogram("vllm:e2e_request_latency_seconds", [1], [10, 0], 5.0) | {"vllm:generation_tokens_total": 50.0}
    wide = made({"up": 1.0}, *[{"up": 1.0}] * 28, first, second)
    assert wide.seconds == 300
    assert wide.narrowed().seconds == 10
    latency = take_apart(wide.narrowed())
    assert latency is not None
    assert latency.requests == 10


def test_nothing_finished() -> None:
    page = histogram("vllm:e2e_request_latency_seconds", [1], [5, 0], 2.0)
    assert take_apart(made(page, page)) is None
    assert take_apart(made({"up": 1.0}, {"up": 1.0})) is None


def test_an_engine_without_stage_histograms_is_told_by_its_ttft() -> None:
    names = {"llm": "vllm:"}
    zero, ten = [0, 0], [10, 0]
    pages = [
        histogram(f"{names['llm']}e2e_request_latency_seconds", [5], counts, 20.0 * bool(counts[0]))
        | histogram(f"{names['llm']}time_to_first_token_seconds", [5], counts, 5.0 * bool(counts[0]))
        | histogram(f"{names['llm']}request_queue_time_seconds", [5], counts, 2.0 * bool(counts[0]))
        for counts in (zero, ten)
    ]
    latency = take_apart(made(*pages))
    assert latency is not None
    assert latency.mean("queue") == pytest.approx(0.2)
    assert latency.mean("prefill") == pytest.approx(0.3)
    assert latency.mean("decode") == pytest.approx(1.5)
    assert latency.mean("front-end") is None  # it is in the prefill, and nobody can tell how much


def test_other_requests_make_no_share() -> None:
    pages = [
        histogram("vllm:e2e_request_latency_seconds", [5], [count, 0], count * 2.0)
        | histogram("vllm:request_queue_time_seconds", [5], [count * 3, 0], count * 1.0)
        for count in (0, 10)
    ]
    latency = take_apart(made(*pages))
    assert latency is not None
    assert latency.mean("queue") is not None
    assert latency.share("queue") is None


@pytest.mark.parametrize(
    ("counts", "answer"),
    [
        ([10, 0, 0, 0], Normal.WITHIN),  # up to 1 s
        ([0, 10, 0, 0], Normal.WITHIN),  # up to 2 s, the limit itself
        ([0, 0, 10, 0], Normal.ABOVE),
        ([0, 0, 0, 10], Normal.ABOVE),
    ],
)
def test_a_range_of_the_guide(counts: list[int], answer: Normal) -> None:
    none = histogram("vllm:time_to_first_token_seconds", [1, 2, 4], [0] * 4, 0.0)
    some = histogram("vllm:time_to_first_token_seconds", [1, 2, 4], counts, 15.0)
    latency = take_apart(made(none, some))
    assert latency is not None
    assert latency.ranges[0].answer is answer
    assert latency.ranges[2].answer is Normal.UNKNOWN  # no end-to-end figures


def test_a_limit_inside_a_bucket_cannot_be_told() -> None:
    none = histogram("vllm:time_to_first_token_seconds", [1, 2.5], [0] * 3, 0.0)
    some = histogram("vllm:time_to_first_token_seconds", [1, 2.5], [0, 10, 0], 15.0)
    latency = take_apart(made(none, some))
    assert latency is not None
    assert latency.ranges[0].answer is Normal.UNCLEAR


def test_quantiles_know_their_bucket() -> None:
    found = Distribution(((1.0, 50.0), (2.0, 90.0), (math.inf, 100.0)), 130.0, 100.0)
    middle, high, over = found.quantile(0.5), found.quantile(0.7), found.quantile(0.95)
    assert middle is not None
    assert (middle.low, middle.high, middle.value) == (0.0, 1.0, 1.0)
    assert high is not None
    assert (high.low, high.high, high.value) == (1.0, 2.0, 1.5)
    assert over is not None
    assert (over.low, over.high, over.value) == (2.0, None, None)
    assert Distribution((), 0.0, 0.0).quantile(0.5) is None
    assert Distribution((), 0.0, 0.0).mean is None
