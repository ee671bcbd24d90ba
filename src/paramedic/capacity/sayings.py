"""The sentences in which engines speak of memory, in the words of many versions, and the numbers in them."""

import re
from collections.abc import Iterator

GIB = 1024**3
_UNITS = {"B": 1 / GIB, "K": 1 / 1024**2, "M": 1 / 1024, "G": 1.0, "T": 1024.0}

# `<name>` catches a size with its unit, `{name}` a bare number (sizes among them are GiB), `…` skips.
SAYINGS = (
    "Model loading took <weights>",
    "Loading model weights took <weights>",
    "Checkpoint size: <checkpoint>",
    "Available KV cache memory: <kv>",
    "Initial free memory <free_at_start>, reserved <kv_reserved> memory for KV Cache",
    "KV cache size: {tokens} tokens",
    "Maximum concurrency for {model_len} tokens per request: {concurrency}x",
    "GPU blocks: {blocks}, # CPU blocks",
    "cuda blocks: {blocks}, # CPU blocks",
    "cpu blocks: {blocks}, # CPU blocks",
    "Overriding num_gpu_blocks={blocks_possible} with num_gpu_blocks_override={blocks_used}",
    "Chunked prefill is enabled with max_num_batched_tokens={batched_tokens}",
    "Graph capturing finished in … took <graphs>",
    "Estimated CUDA graph memory: <graphs_estimated>",
    "Free memory on device…({free_at_start}/<total>) on startup",
    "GPU memory utilization …({utilization}, <budget>)",
    (
        "Actual usage is <weights> for weight, <activations> for peak activation, <outside> for non-torch memory, "
        "and <graphs> for CUDAGraph memory"
    ),
    (
        "Actual usage is <consumed> for consumed memory (weights + non-torch), <peak> for peak activation, "
        "and <graphs> for CUDAGraph memory"
    ),
    "`--kv-cache-memory={bytes_of_card}` (<kv_of_card>) to fully utilize",
    "can use total_gpu_memory (<total>) x gpu_memory_utilization ({utilization}) = <budget>",
    (
        "model weights take <weights>; non_torch_memory takes <outside>; PyTorch activation peak memory takes "
        "<activations>; the rest of the memory reserved for KV Cache is <kv>"
    ),
    (
        "Memory profiling results: total_gpu_memory=<total> … peak_torch_memory=<torch_peak> … "
        "non_torch_memory=<outside> kv_cache_size=<kv> gpu_memory_utilization={utilization}"
    ),
    (
        "max seq len ({model_len})…(<kv_needed> KV cache is needed, which is larger than the available KV cache "
        "memory (<kv>)"
    ),
    "the estimated maximum model length is {fitting_len}",
    "max seq len ({model_len}) is larger than the maximum number of tokens that can be stored in KV cache ({tokens})",
    "Explicitly set ({kv}/{total}) GiB for KV cache on node",
    "VLLM_CPU_KVCACHE_SPACE (GiB) for CPU backend is not set, using {kv} by default",
    # SGLang
    "Load weight begin. avail mem=<free_at_start>",
    "Load weight end…mem usage=<weight_set>",
    "KV Cache is allocated…#tokens: {tokens}, K size: <k>, V size: <v>",
    "KV Cache is allocated…#tokens: {tokens}, KV size: <kv_set>",
    "Memory pool end. avail mem=<free_after_pool>",
    "graph end…mem usage=<graph_set>",
    "max_total_num_tokens={tokens}…context_len={model_len}",
    "context_len={model_len}, available_gpu_mem=<free_at_end>",
)
# Out of memory, in PyTorch's words. A prompt may quote them: they count only where an error is told.
LAST_WORDS = (
    "Tried to allocate <wanted>",
    "has a total capacity of <total> of which <oom_free> is free",
    "this process has <oom_process> memory in use",
    "memory <oom_allocated> is allocated by PyTorch",
    "and <oom_unused> is reserved by PyTorch but unallocated",
    "Process {oom_pid} has <oom_neighbour> memory in use",
    "<total> total capacity; <oom_allocated> already allocated; <oom_free> free",
)


def _compiled(saying: str) -> re.Pattern[str]:
    text = re.escape(saying).replace(r"\ ", " ").replace("…", ".*?")
    text = re.sub(r"<(\w+)>", r"(?P<\1>-?[\\d.,]+) ?(?P<\1_unit>[KMGT]?i?B)", text)
    return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>-?\\d[\\d.,]*)", text), re.IGNORECASE)


_SAYINGS = tuple(_compiled(saying) for saying in SAYINGS)
_LAST_WORDS = tuple(_compiled(saying) for saying in LAST_WORDS)


def figures_in(text: str, *, is_error: bool) -> Iterator[tuple[str, float]]:
    """What a line says, and how much; sizes in GiB."""
    for pattern in (*_SAYINGS, *_LAST_WORDS) if is_error else _SAYINGS:
        for found in pattern.finditer(text):
            yield from _figures(found)


def _figures(found: re.Match[str]) -> list[tuple[str, float]]:
    groups = found.groupdict()
    figures = []
    for what, text in groups.items():
        if what.endswith("_unit") or text is None:
            continue
        unit = groups.get(f"{what}_unit")
        figures.append((what, float(text.strip(".,").replace(",", "")) * (_UNITS[unit[0].upper()] if unit else 1.0)))
    return figures
