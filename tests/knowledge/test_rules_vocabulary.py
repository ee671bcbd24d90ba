"""The vocabulary against recordings of real engines: what a new and an old vLLM expose is found under our names."""

from pathlib import Path

import pytest

from paramedic.adapters.storage.samples_memory import MemorySamples
from paramedic.knowledge.lexicon import load_vocabulary
from paramedic.model.sample import Scrape
from paramedic.signals.evaluate import Evaluator
from paramedic.signals.exposition import Parser

RECORDING = Path(__file__).parents[1] / "recordings" / "metrics-0.32.txt"
OURS = [name for name in load_vocabulary().names() if name.startswith("llm:")]
OPTIONAL = {"llm:corrupted_requests_total"}  # only with VLLM_COMPUTE_NANS_IN_LOGITS=1
OLD_NAMES = {  # as vLLM called them up to 0.10 or 0.12
    "vllm:kv_cache_usage_perc": "vllm:gpu_cache_usage_perc",
    "vllm:prefix_cache_": "vllm:gpu_prefix_cache_",
    "vllm:inter_token_latency_seconds": "vllm:time_per_output_token_seconds",
}
NEW_SINCE = ("llm:engine_awake", "llm:tpot_seconds_count", "llm:admission_rejections_total")


def found(body: str, names: list[str]) -> set[str]:
    exposition = Parser({"target": "t"}).parse(body.encode())
    assert exposition.bad_lines == 0
    samples = MemorySamples()
    samples.append(Scrape("engine:t", 0, exposition.series, exposition.values))
    evaluator = Evaluator(samples, load_vocabulary())
    return {name for name in names if evaluator.vector(name, 0)}


def test_a_real_0_32_has_every_name() -> None:
    assert set(OURS) - found(RECORDING.read_text(encoding="utf-8"), OURS) <= OPTIONAL


def test_under_their_old_names_they_are_found_too() -> None:
    body = RECORDING.read_text(encoding="utf-8")
    for new, old in OLD_NAMES.items():
        assert new in body
        body = body.replace(new, old)
    assert set(OURS) - found(body, OURS) <= OPTIONAL


def test_under_ray_serve_they_are_found_too() -> None:
    body = RECORDING.read_text(encoding="utf-8").replace("vllm:", "vllm_")
    assert set(OURS) - found(body, OURS) <= OPTIONAL


@pytest.mark.parametrize("name", NEW_SINCE)
def test_what_an_old_version_has_not_is_absent_and_not_zero(name: str) -> None:
    body = "\n".join(
        line
        for line in RECORDING.read_text(encoding="utf-8").splitlines()
        if not any(word in line for word in ("engine_sleep_state", "request_time_per_output", "admission_rejections"))
    )
    assert found(body, [name, "llm:requests_running"]) == {"llm:requests_running"}
