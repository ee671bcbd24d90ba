"""Values whose reckoning is plain to see; the comparison with a real Prometheus is an integration test."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paramedic.adapters.storage.samples_memory import MemorySamples
from paramedic.model.sample import Scrape, label_set
from paramedic.model.text import Text
from paramedic.signals.evaluate import EvaluationError, Evaluator
from paramedic.signals.vocabulary import RawName, Term, Vocabulary

Points = dict[str, list[float | None]]
STEP_S = 10


def store(**series: list[float | None]) -> MemorySamples:
    """One sample every ten seconds from 0; None: the series is missing there."""
    samples = MemorySamples()
    for index in range(max(len(values) for values in series.values())):
        now = {
            label_set(name, target="t"): values[index]
            for name, values in series.items()
            if index < len(values) and values[index] is not None
        }
        samples.append(
            Scrape("s", index * STEP_S * 10**9, list(now), [value for value in now.values() if value is not None])
        )
    return samples


def ask(samples: MemorySamples, query: str, at_s: float, compat: int = 3) -> list[float]:
    found = Evaluator(samples, compat=3 if compat == 3 else 2).vector(query, int(at_s * 1000))
    return [value for _, value in found]


def test_windows_are_open_on_the_left_in_3_and_closed_in_2() -> None:
    samples = store(up=[1, 2, 3, 4])
    assert ask(samples, "count_over_time(up[20s])", 30) == [2]
    assert ask(samples, "count_over_time(up[20s])", 30, compat=2) == [3]
    assert ask(samples, "count_over_time(up[20s:10s])", 30) == [2]
    assert ask(samples, "count_over_time(up[20s:10s])", 30, compat=2) == [3]


def test_lookback_ends() -> None:
    samples = store(up=[7])
    assert ask(samples, "up", 299) == [7]
    assert ask(samples, "up", 300) == []
    assert ask(samples, "up", 300, compat=2) == [7]
    assert ask(samples, "up", 301, compat=2) == []


def test_a_series_that_ended_is_absent_at_once() -> None:
    samples = store(up=[1, None, None], other=[1, 1, 1])
    assert ask(samples, "up", 5) == [1]
    assert ask(samples, "up", 15) == []
    assert ask(samples, "absent(up)", 15) == [1]
    assert ask(samples, "count_over_time(up[1m])", 25) == [1]


def test_absent_is_not_zero() -> None:
    samples = store(up=[1])
    assert ask(samples, "missing > 0", 5) == []
    assert ask(samples, "missing == 0", 5) == []
    assert ask(samples, "sum(missing)", 5) == []
    assert ask(samples, "rate(up[1m])", 5) == []  # one sample is no rate


def test_rate_survives_a_counter_reset() -> None:
    samples = store(c_total=[100, 110, 120, 5, 15, 25, 35])
    assert ask(samples, "increase(c_total[60s])", 60) == pytest.approx([(35 - 110 + 120) * 60 / 50])


def test_increase_does_not_reach_below_zero() -> None:
    samples = store(c_total=[None, None, None, 1, 6, 11])
    # 50 s back there may have been nothing: 1 at 5 per 10 s was 0 two seconds earlier
    assert ask(samples, "increase(c_total[1m])", 50) == pytest.approx([10 * (20 + 2) / 20])


def test_changes_counts_restarts_without_extrapolation() -> None:
    samples = store(starts_total=[1, 1, 2, 2, 3, 4, 4])
    assert ask(samples, "changes(starts_total[15m])", 60) == [3]


def test_histogram_quantile_lies_within_its_bucket() -> None:
    samples = MemorySamples()
    buckets = {"1": 5.0, "2": 10.0, "+Inf": 10.0}
    labels = [label_set("h_bucket", le=bound) for bound in buckets]
    samples.append(Scrape("s", 0, labels, list(buckets.values())))
    assert ask(samples, "histogram_quantile(0.75, h_bucket)", 1) == [1.5]
    assert ask(samples, "histogram_quantile(0.25, h_bucket)", 1) == [0.5]
    samples.append(Scrape("s", 10**9, labels, [0.0, 0.0, 0.0]))
    assert math.isnan(ask(samples, "histogram_quantile(0.75, h_bucket)", 2)[0])


def test_a_scalar_has_a_value_and_a_range_has_none() -> None:
    evaluator = Evaluator(store(up=[1]))
    assert evaluator.instant("time() / 2", 10_000) == 5
    assert evaluator.vector("1", 0) == [((), 1.0)]
    with pytest.raises(EvaluationError):
        evaluator.instant("up[5m]", 0)


def test_many_to_many_is_an_error_that_says_where() -> None:
    samples = MemorySamples()
    samples.append(Scrape("s", 0, [label_set("up", a="1"), label_set("up", a="2")], [1, 2]))
    with pytest.raises(EvaluationError, match="right side match the same group"):
        ask(samples, "up / on () up", 1)


def test_a_subquery_reads_each_series_once() -> None:
    class Counting(MemorySamples):
        calls = 0

        def select(self, *arguments: object) -> list[object]:  # type: ignore[override]
            Counting.calls += 1
            return super().select(*arguments)  # type: ignore[arg-type, return-value]

    samples = Counting()
    for second in range(0, 600, 10):
        samples.append(Scrape("s", second * 10**9, [label_set("c_total")], [second]))
    (value,) = ask(samples, "max_over_time(rate(c_total[1m])[5m:10s])", 590)
    assert value == pytest.approx(1)
    assert Counting.calls == 1


VOCABULARY = Vocabulary(
    {
        "llm:kv": Term("llm:kv", "gauge", Text("a", "b"), (RawName("new"), RawName("old"))),
        "llm:awake": Term("llm:awake", "gauge", Text("a", "b"), (RawName("sleep", (("state", "awake"),)),)),
        "llm:ttft": Term("llm:ttft", "histogram", Text("a", "b"), (RawName("ttft"),)),
    }
)


def test_vocabulary_takes_for_each_target_the_name_it_has() -> None:
    samples = MemorySamples()
    samples.append(Scrape("1", 0, [label_set("new", target="1")], [1]))
    samples.append(Scrape("2", 0, [label_set("old", target="2")], [2]))
    both = [label_set("new", target="3"), label_set("old", target="3")]
    samples.append(Scrape("3", 0, both, [3, 33]))
    found = dict(Evaluator(samples, VOCABULARY).vector("llm:kv", 1000))
    assert found == {label_set("llm:kv", target=str(number)): number for number in (1, 2, 3)}


def test_vocabulary_follows_an_engine_that_changed_its_version() -> None:
    samples = MemorySamples()
    samples.append(Scrape("1", 0, [label_set("new", target="1")], [1]))
    samples.append(Scrape("1", 10**10, [label_set("old", target="1")], [2]))
    assert Evaluator(samples, VOCABULARY).vector("llm:kv", 11_000) == [(label_set("llm:kv", target="1"), 2)]


def test_vocabulary_reads_one_label_value_as_a_name_and_the_parts_of_a_histogram() -> None:
    samples = MemorySamples()
    series = [label_set("sleep", state="awake"), label_set("sleep", state="deep"), label_set("ttft_count")]
    samples.append(Scrape("1", 0, series, [1, 0, 9]))
    evaluator = Evaluator(samples, VOCABULARY)
    assert evaluator.vector("llm:awake", 1) == [(label_set("llm:awake"), 1)]
    assert evaluator.vector("llm:ttft_count", 1) == [(label_set("llm:ttft_count"), 9)]
    assert evaluator.vector("llm:ttft", 1) == []


@given(st.lists(st.integers(0, 1000), min_size=2, max_size=30), st.integers(0, 29))
@settings(deadline=None)
def test_increase_never_depends_on_where_a_counter_restarts(steps: list[int], restart: int) -> None:
    """Counting on or beginning anew at zero: the same events give the same increase, once away from the start."""
    totals = [10**6 + int(total) for total in np.cumsum(steps)]
    broken = [float(total - totals[restart]) if index > restart else float(total) for index, total in enumerate(totals)]
    whole = ask(store(c_total=[float(total) for total in totals]), "increase(c_total[400s])", len(steps) * STEP_S)
    again = ask(store(c_total=list(broken)), "increase(c_total[400s])", len(steps) * STEP_S)
    if restart < len(totals):
        assert again == pytest.approx(whole)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20), st.floats(0, 1))
@settings(deadline=None)
def test_a_quantile_lies_between_the_extremes_and_grows(values: list[float], fraction: float) -> None:
    samples, at = store(g=list(values)), len(values) * STEP_S
    (low,), (middle,), (high,) = (
        ask(samples, f"quantile_over_time({each!r}, g[10m])", at) for each in (0.0, fraction, 1.0)
    )
    assert low == min(values)
    assert high == max(values)
    assert low - 1e-6 <= middle <= high + 1e-6
