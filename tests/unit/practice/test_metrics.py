"""Histograms observe what happened to a request, in the buckets of its server."""

from paramedic.practice.metrics import EngineMetrics, FinishedRequest, one_two_five


def test_one_two_five_ends_at_the_limit() -> None:
    assert one_two_five(2048) == (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)
    assert one_two_five(5) == (1, 2, 5)


def test_a_finished_request_is_taken_apart() -> None:
    metrics = EngineMetrics("m", 2048)
    metrics.finished(
        FinishedRequest(
            reason="length",
            prompt_tokens=7,
            generation_tokens=5,
            max_tokens=5,
            arrived=0.0,
            queued=10.0,
            scheduled=11.0,
            first=13.0,
            last=17.0,
            preemptions=1,
        )
    )
    page = metrics.page().decode()
    labels = '{engine="0",model_name="m"}'
    for name, value in {
        "request_queue_time_seconds_sum": 1.0,
        "request_prefill_time_seconds_sum": 2.0,
        "request_decode_time_seconds_sum": 4.0,
        "request_inference_time_seconds_sum": 6.0,
        "request_time_per_output_token_seconds_sum": 1.0,
        "request_prompt_tokens_sum": 7.0,
        "request_generation_tokens_count": 1.0,
        "request_num_preemptions_sum": 1.0,
    }.items():
        assert f"vllm:{name}{labels} {value}\n" in page
    assert 'vllm:request_success_total{engine="0",finished_reason="length",model_name="m"} 1.0' in page
