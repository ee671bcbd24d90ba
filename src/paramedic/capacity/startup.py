"""What an engine says of its memory while it starts and when it runs out of it, in the words of many versions."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

GIB = 1024**3
_UNITS = {"B": 1 / GIB, "K": 1 / 1024**2, "M": 1 / 1024, "G": 1.0, "T": 1024.0}


@dataclass(frozen=True, slots=True)
class Message:
    """One line of a log, unwrapped. `tag` is the process that wrote it, "" where the line does not say."""

    file: str
    line: int
    text: str
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that the engine said, and where. Sizes are GiB (engines that write GB count in 1024s too)."""

    value: float
    file: str
    line: int


@dataclass(slots=True)
class Start:
    """One start of a server: what each of its processes said, and how it was started."""

    engine: str = ""
    version: str = ""
    on_cpu: bool = False
    opening: list[str] = field(default_factory=list)  # the lines that name its arguments
    said: dict[str, dict[str, list[Figure]]] = field(default_factory=dict)  # tag -> what -> figures, oldest first

    def all(self, what: str) -> list[Figure]:
        """Everything that any of its processes said of this."""
        return [figure for figures in self.said.values() for figure in figures.get(what, ())]

    def ranks(self) -> list[str]:
        """The tags of the processes that hold memory of a device of their own."""
        holding = sorted(tag for tag, figures in self.said.items() if not _HOLDING.isdisjoint(figures))
        return [tag for tag in holding if tag] or holding

    def of_rank(self, tag: str) -> Mapping[str, Figure]:
        """The last word on everything, where this process is asked before the others."""
        last: dict[str, Figure] = {}
        for process in (*self.said.values(), self.said.get(tag, {})):
            last |= {what: figures[-1] for what, figures in process.items()}
        return last


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
    "Load weight end…mem usage=<weights>",
    "KV Cache is allocated…#tokens: {tokens}, K size: <k>, V size: <v>",
    "KV Cache is allocated…#tokens: {tokens}, KV size: <kv>",
    "Memory pool end. avail mem=<free_after_pool>",
    "graph end…mem usage=<graph_set>",
    "max_total_num_tokens={tokens}…context_len={model_len}",
    "context_len={model_len}, available_gpu_mem=<free_at_end>",
    # Out of memory, in PyTorch's words
    "Tried to allocate <wanted>",
    "has a total capacity of <total> of which <oom_free> is free",
    "this process has <oom_process> memory in use",
    "memory <oom_allocated> is allocated by PyTorch",
    "and <oom_unused> is reserved by PyTorch but unallocated",
    "Process {oom_pid} has <oom_neighbour> memory in use",
    "<total> total capacity; <oom_allocated> already allocated; <oom_free> free",
)
OPENINGS = ("API server version", "non-default args:", "args: Namespace(", "server_args=ServerArgs(", "LLM engine (v")
_HOLDING = frozenset({"weights", "kv", "kv_reserved", "k", "activations", "peak"})
_VERSION = re.compile(r"(?:LLM engine \(v|vLLM API server version |\bversion )(\d+\.\d+\.\d+[\w.+-]*)")
_WORTH_A_LOOK = re.compile(r"[KMGT]i?B\b|[bB]locks|tokens|args|LLM engine|version \d|KVCACHE_SPACE")
_ON_CPU = re.compile(r"GiB for KV cache on node|VLLM_CPU_KVCACHE_SPACE|\bCPU KV cache size|device_config=cpu\b")
_RANK = re.compile(r"\b(?:DP\d+ )?(?:TP|PP)\d+(?: (?:TP|PP|EP)\d+)*(?=\])")


def _compiled(saying: str) -> re.Pattern[str]:
    text = re.escape(saying).replace(r"\ ", " ").replace("…", ".*?")
    text = re.sub(r"<(\w+)>", r"(?P<\1>-?[\\d.,]+) ?(?P<\1_unit>[KMGT]?i?B)", text)
    return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>-?\\d[\\d.,]*)", text), re.IGNORECASE)


_PATTERNS = tuple(_compiled(saying) for saying in SAYINGS)


def says_something(line: str) -> bool:
    """Whether a raw line may say something of memory; nearly all lines do not, and need not be unwrapped."""
    return _WORTH_A_LOOK.search(line) is not None


def read_starts(messages: Iterable[Message]) -> list[Start]:
    """The starts of a server that said something of its memory, oldest first; other lines cost next to nothing."""
    starts = [Start()]
    for message in messages:
        if not says_something(message.text):
            continue
        if any(opening in message.text for opening in OPENINGS):
            if starts[-1].said and "LLM engine" not in message.text:
                starts.append(Start())
            starts[-1].opening.append(message.text)
        _note(starts[-1], message)
    return [start for start in starts if start.said]


def _note(start: Start, message: Message) -> None:
    if version := _VERSION.search(message.text):
        start.version = version[1]
        start.engine = "vLLM"
    if "ServerArgs(" in message.text or "Load weight end" in message.text:
        start.engine = "SGLang"
    if _ON_CPU.search(message.text):
        start.on_cpu = True
    rank = _RANK.search(message.text[:80])
    tag = rank[0] if rank else message.tag
    for pattern in _PATTERNS:
        for found in pattern.finditer(message.text):
            for what, value in _figures(found):
                figure = Figure(value, message.file, message.line)
                start.said.setdefault(tag, {}).setdefault(what, []).append(figure)


def _figures(found: re.Match[str]) -> list[tuple[str, float]]:
    groups = found.groupdict()
    figures = []
    for what, text in groups.items():
        if what.endswith("_unit") or text is None:
            continue
        unit = groups.get(f"{what}_unit")
        figures.append((what, float(text.strip(".,").replace(",", "")) * (_UNITS[unit[0].upper()] if unit else 1.0)))
    return figures
