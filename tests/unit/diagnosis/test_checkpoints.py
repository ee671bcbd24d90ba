"""Each checkpoint says yes, no, or could not tell, by a number of the window."""

import pytest

from paramedic.diagnosis.checkpoint import Answer, Checkpoint, Evidence
from paramedic.diagnosis.checkpoints import ALL, checkpoints
from tests.unit.diagnosis.windows import evidence, histogram, made, recorded

YES, NO, UNKNOWN = Answer.YES, Answer.NO, Answer.UNKNOWN


def answers(found: Evidence) -> dict[str, Checkpoint]:
    return {check.id: check for check in checkpoints(found)}


def pages(*more: dict[str, float]) -> list[dict[str, float]]:
    """Two scrapes ten seconds apart, ten requests between them, and what a test adds to each."""
    name = "vllm:e2e_request_latency_seconds"
    return [
        histogram(name, [1, 5], [0, count, 0], 2.0 * count) | extra for count, extra in zip((0, 10), more, strict=True)
    ]


def test_a_small_step_budget_is_found_by_its_number() -> None:
    found = answers(evidence(recorded("step-budget-256"), {"max_num_batched_tokens": 256.0}))
    assert found["step-size"].answer is YES
    assert "256 tokens a step" in found["step-size"].found.en
    assert found["concurrency"].answer is YES
    assert "--max-num-batched-tokens" in found["concurrency"].do.en  # neither the seats nor the KV cache
    unknown = answers(evidence(recorded("step-budget-256")))["step-size"]
    assert unknown.answer is UNKNOWN  # 256 of how many?
    wide = answers(evidence(recorded("step-budget-8192"), {"max_num_batched_tokens": 8192.0}))
    assert wide["step-size"].answer is NO
    assert wide["concurrency"].answer is NO


def test_a_full_cache_is_what_the_crowd_waits_for() -> None:
    found = answers(evidence(recorded("crowd", 1795506019, 1795506054), {"max_num_batched_tokens": 8192.0}))
    assert found["concurrency"].answer is YES
    assert "KV cache" in found["concurrency"].do.en
    assert found["scheduling"].answer is YES
    assert "180 preemptions" in found["scheduling"].found.en
    before = answers(evidence(recorded("crowd", 1795506002, 1795506018)))
    assert before["scheduling"].answer is NO
    assert before["concurrency"].answer is NO


def test_nothing_known_is_nothing_claimed() -> None:
    """Only end-to-end times: every checkpoint but those that ask them could not tell."""
    found = answers(evidence(made(*pages({}, {}))))
    assert len(found) == len(ALL) == 12
    assert {check.answer for check in found.values()} == {UNKNOWN}
    for check in found.values():
        assert check.do.en
        assert check.do.zh
        assert check.found.en


@pytest.mark.parametrize(
    ("name", "settings", "answer"),
    [
        ("chunked-prefill", {"enable_chunked_prefill": False}, YES),
        ("chunked-prefill", {"enable_chunked_prefill": True}, NO),
        ("cuda-graphs", {"enforce_eager": True}, YES),
        ("cuda-graphs", {"enforce_eager": False}, NO),
        ("cuda-graphs", {}, UNKNOWN),
        ("kernels", {"dtype": "float32"}, YES),
        ("kernels", {"dtype": "bfloat16"}, UNKNOWN),  # nobody read its log
    ],
)
def test_how_it_was_started(name: str, settings: dict[str, float | str | bool], answer: Answer) -> None:
    assert answers(evidence(made(*pages({}, {})), settings))[name].answer is answer


@pytest.mark.parametrize(
    ("warnings", "answer"),
    [((), NO), (("Using default MoE config. Performance might be sub-optimal! Config file not found",), UNKNOWN)],
)
def test_a_warning_of_slow_kernels_is_no_measurement(warnings: tuple[str, ...], answer: Answer) -> None:
    bare = evidence(made(*pages({}, {})))
    full = Evidence(bare.figures, bare.latency, {"dtype": "bfloat16"}, 15.0, warnings)
    assert answers(full)["kernels"].answer is answer


GPU = 'paramedic_gpu_utilization{gpu="0"}'
OTHER_GPU = 'paramedic_gpu_utilization{gpu="1"}'
RUNNING = "vllm:num_requests_running"
TOKENS = 'vllm:generation_tokens_total{{engine="{}"}}'


@pytest.mark.parametrize(
    ("name", "first", "second", "answer"),
    [
        ("gpu-use", {GPU: 0.3, RUNNING: 8}, {GPU: 0.2, RUNNING: 8}, YES),
        ("gpu-use", {GPU: 0.9, RUNNING: 8}, {GPU: 0.9, RUNNING: 8}, NO),
        ("gpu-use", {GPU: 0.8, OTHER_GPU: 0.8, RUNNING: 8}, {GPU: 0.8, OTHER_GPU: 0.8, RUNNING: 8}, NO),
        ("gpu-use", {GPU: 0.0, RUNNING: 0}, {GPU: 0.0, RUNNING: 0}, NO),  # nothing to do is no fault
        ("host-overhead", {"process_cpu_seconds_total": 5}, {"process_cpu_seconds_total": 14.8}, YES),
        ("host-overhead", {"process_cpu_seconds_total": 5}, {"process_cpu_seconds_total": 7}, NO),
        ("cold-start", {"process_start_time_seconds": 1004}, {"process_start_time_seconds": 1004}, YES),
        ("cold-start", {"process_start_time_seconds": 4}, {"process_start_time_seconds": 4}, NO),
        ("contention", {"paramedic_host_cpu_pressure": 0.4}, {"paramedic_host_cpu_pressure": 0.5}, YES),
        ("contention", {"paramedic_host_cpu_pressure": 0.0}, {"paramedic_host_cpu_pressure": 0.01}, NO),
        ("balance", {TOKENS.format(0): 0, TOKENS.format(1): 0}, {TOKENS.format(0): 90, TOKENS.format(1): 10}, YES),
        ("balance", {TOKENS.format(0): 0, TOKENS.format(1): 0}, {TOKENS.format(0): 52, TOKENS.format(1): 48}, NO),
        ("balance", {TOKENS.format(0): 0}, {TOKENS.format(0): 90}, NO),
    ],
)
def test_by_a_figure(name: str, first: dict[str, float], second: dict[str, float], answer: Answer) -> None:
    assert answers(evidence(made(*pages(first, second))))[name].answer is answer


@pytest.mark.parametrize(("outside", "answer"), [(0.01, NO), (0.5, YES)])
def test_time_outside_the_engine(outside: float, answer: Answer) -> None:
    name = "http_request_duration_seconds"
    more = [
        {f'{key.split("{")[0]}{{handler="/v1/completions"{"," + key.split("{")[1] if "{" in key else "}"}': value
         for key, value in histogram(name, [1], [0, count], (2.0 + outside) * count).items()}
        for count in (0, 10)
    ]  # fmt: skip
    assert answers(evidence(made(*pages(*more))))["outside-engine"].answer is answer


def test_stutter_is_told_by_buckets_apart() -> None:
    name = "vllm:inter_token_latency_seconds"
    bounds = [0.01, 0.025, 0.05, 0.1, 0.2]
    calm = [histogram(name, bounds, [count, 0, 0, 0, 0, 0], 0.005 * count) for count in (0, 1000)]
    stutter = [histogram(name, bounds, [count * 0.97, 0, 0, 0, count * 0.03, 0], 0.01 * count) for count in (0, 1000)]
    assert answers(evidence(made(*pages(*calm))))["scheduling"].answer is NO
    assert answers(evidence(made(*pages(*stutter))))["scheduling"].answer is YES
