"""What a flag moves is what the recorded runs with that flag show."""

import pytest

from paramedic.capacity.kv_cache import read_shape
from paramedic.capacity.levers import Lever, levers
from paramedic.capacity.memory import add_up
from tests.unit.capacity.build import recorded, settings_of, starts_of


def turned(run: str, total: float | None = None) -> dict[str, Lever]:
    return turned_for(recorded(run), total)


def turned_for(text: str, total: float | None = None) -> dict[str, Lever]:
    start = starts_of(text)[-1]
    settings = settings_of(start)
    found = levers(add_up(start, settings, total), settings)
    return {lever.flag: lever for lever in found}


def test_utilisation_and_fp8_foretell_the_run_that_has_them() -> None:
    """p2 has 0.92 and 16 bits, c02 has 0.85 and fp8."""
    start = starts_of(recorded("vllm-0.26-h100/p2-eager"))[-1]
    account = add_up(start, settings_of(start))
    found = turned("vllm-0.26-h100/p2-eager")
    down = found["--gpu-memory-utilization 0.87"]
    assert down.kv_gib == pytest.approx(-0.05 * 79.18)
    assert account.kv.tokens is not None
    assert account.kv.bytes_per_token is not None
    of_c02 = (56.51 - (0.92 - 0.85) * 79.18) * 2**30 / account.kv.bytes_per_token
    per_gib = (down.tokens or 0) / (down.kv_gib or 1)
    foretold = 2 * (account.kv.tokens - per_gib * 0.07 * 79.18)
    assert found["--kv-cache-dtype fp8"].tokens == account.kv.tokens
    assert foretold == pytest.approx(741_776, rel=0.02)
    assert 2 * of_c02 == pytest.approx(741_776, rel=0.02)


def test_a_share_above_what_is_free_is_not_offered() -> None:
    start = starts_of(recorded("vllm-0.26-h100/p1-default").replace("(78.66/79.18", "(74.00/79.18"))[-1]
    settings = settings_of(start)
    flags = [lever.flag for lever in levers(add_up(start, settings), settings)]
    assert not any(flag.startswith("--gpu-memory-utilization 0.97") for flag in flags)
    assert any(flag.startswith("--gpu-memory-utilization 0.87") for flag in flags)


def test_too_small_a_cache_is_helped_by_what_suffices() -> None:
    found = turned("vllm-0.26-h100/f04-kv-too-small", total=79.18)
    helping = [flag for flag, lever in found.items() if lever.helps]
    assert "--max-model-len 62656" in helping
    assert "--gpu-memory-utilization 0.41" in helping  # 16.0 - 7.65 GiB of 79.18 are 0.105 more
    fp8 = found["--kv-cache-dtype fp8"]  # twice 62,668 tokens are still fewer than 131,072
    assert not fp8.helps
    assert "not enough" in fp8.effect.en
    assert list(found)[: len(helping)] == helping  # what helps comes first


def test_out_of_memory_while_loading_is_not_cured_by_utilisation() -> None:
    found = turned("vllm-0.26-h100/f03-oom-weights")
    assert {flag for flag, lever in found.items() if lever.helps} == {"--tensor-parallel-size 2", "--dtype bfloat16"}


def test_out_of_memory_at_run_time_is_cured_by_less() -> None:
    found = turned("vllm-0.26-h100/f22-oom-runtime")
    assert found["--gpu-memory-utilization 0.25"].helps
    assert not found["--gpu-memory-utilization 0.35"].helps
    assert found["--max-num-batched-tokens 32768"].helps


NO_ROOM = """\
INFO 04-02 21:42:57 [api_server.py:1010] args: Namespace(model='/m', kv_cache_dtype='auto', max_model_len=8192)
INFO 04-02 21:42:58 [llm_engine.py:1] Initializing a V0 LLM engine (v0.8.2) with config: dtype=torch.bfloat16
INFO 04-02 21:43:03 [worker.py:267] the current vLLM instance can use total_gpu_memory (39.39GiB) x \
gpu_memory_utilization (0.20) = 7.88GiB
INFO 04-02 21:43:03 [worker.py:267] model weights take 9.38GiB; non_torch_memory takes 0.15GiB; PyTorch activation \
peak memory takes 1.46GiB; the rest of the memory reserved for KV Cache is -3.11GiB.
"""


def test_no_room_at_all_needs_a_share_that_leaves_some() -> None:
    found = turned_for(NO_ROOM)
    share = found["--gpu-memory-utilization 0.29"]
    assert share.helps
    assert share.kv_gib is not None
    assert share.kv_gib > 3.11
    assert not any(flag.startswith("--kv-cache-dtype") for flag in found)  # half of nothing is nothing


@pytest.mark.parametrize(
    ("last", "helps"),
    [
        ("", set()),
        ("INFO 06-20 10:00:02 [x.py:1] Starting to load model /m...\n", {"--tensor-parallel-size 2"}),
        ("INFO:     Application startup complete.\n", {"--gpu-memory-utilization"}),
    ],
)
def test_what_helps_against_out_of_memory_depends_on_the_stage(last: str, helps: set[str]) -> None:
    """Where the share is not known, it is named without a number; where the stage is not known, nothing is claimed."""
    found = turned_for(f"{last}torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.")
    assert {flag for flag, lever in found.items() if lever.helps} == helps


def test_what_a_restart_does_comes_before_what_needs_cards_or_a_look_at_quality() -> None:
    found = turned("vllm-0.26-h100/f04-kv-too-small", total=79.18)
    helping = [lever for lever in found.values() if lever.helps]
    assert [lever.long_term for lever in helping] == sorted(lever.long_term for lever in helping)
    assert found["--tensor-parallel-size 2"].long_term
    assert found["--quantization fp8"].long_term
    assert not found["--max-model-len 62656"].long_term


@pytest.mark.parametrize(("unused", "helps"), [("3.10 GiB", True), ("120.00 MiB", False)])
def test_fragments_are_what_was_reserved_and_not_in_use(unused: str, helps: bool) -> None:
    found = turned_for(
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of "
        "79.18 GiB of which 1.20 GiB is free. Including non-PyTorch memory, this process has 77.90 GiB memory in use. "
        f"Of the allocated memory 74.00 GiB is allocated by PyTorch, and {unused} is reserved by PyTorch but "
        "unallocated."
    )
    assert ("PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True" in found) is helps


def test_a_cache_given_in_bytes_ignores_utilisation() -> None:
    found = turned("vllm-0.26-h100/g5-prefix-cache")
    assert not any("utilization" in flag for flag in found)


def test_every_lever_says_in_both_languages_what_it_does() -> None:
    for run in ("p1-default", "f04-kv-too-small", "f22-oom-runtime", "g5-prefix-cache", "f03-oom-weights"):
        for lever in turned(f"vllm-0.26-h100/{run}").values():
            assert lever.effect.en
            assert lever.effect.zh
            assert "{" not in lever.effect.en + lever.effect.zh


def test_shapes() -> None:
    llama = read_shape({"num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128})
    assert llama is not None
    assert llama.bytes_per_token(2) == 131_072
    assert llama.bytes_per_token(2, tensor_parallel=8) == 131_072 / 8
    assert llama.bytes_per_token(2, tensor_parallel=16) == 131_072 / 8  # a head is not cut
    old = read_shape({"num_hidden_layers": 12, "num_attention_heads": 12, "hidden_size": 768})
    assert old is not None
    assert old.bytes_per_token(2) == 12 * 12 * 64 * 2 * 2
    deepseek = {"num_hidden_layers": 61, "num_attention_heads": 128, "kv_lora_rank": 512, "qk_rope_head_dim": 64}
    latent = read_shape(deepseek)
    assert latent is not None
    assert latent.bytes_per_token(2, tensor_parallel=8) == 61 * 1152  # not divided
    vision = read_shape({"text_config": {"num_hidden_layers": 2, "num_attention_heads": 4, "head_dim": 8}})
    assert vision is not None


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"num_hidden_layers": "32", "num_attention_heads": 32},
        {"num_hidden_layers": 62, "num_attention_heads": 32, "head_dim": 128, "sliding_window": 1024},
        {"num_hidden_layers": 2, "num_attention_heads": 2, "head_dim": 8, "layer_types": ["full", "linear"]},
    ],
)
def test_shapes_that_do_not_tell(config: dict[str, object]) -> None:
    assert read_shape(config) is None
