"""The metric families of vLLM 0.32 and what moves them."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from paramedic.practice.service_law import BLOCK_TOKENS, BLOCKS

# what is counted by the front end or the engine, and its further labels with all their values
COUNTERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "estimated_flops_per_gpu": ("", ()),
    "estimated_read_bytes_per_gpu": ("", ()),
    "estimated_write_bytes_per_gpu": ("", ()),
    "prefix_cache_queries": ("", ()),
    "prefix_cache_hits": ("", ()),
    "external_prefix_cache_queries": ("", ()),
    "external_prefix_cache_hits": ("", ()),
    "mm_cache_queries": ("", ()),
    "mm_cache_hits": ("", ()),
    "num_preemptions": ("", ()),
    "prompt_tokens": ("", ()),
    "prompt_tokens_by_source": ("source", ("local_compute", "local_cache_hit", "external_kv_transfer")),
    "prompt_tokens_cached": ("", ()),
    "prompt_tokens_cached_by_source": ("source", ("device", "host", "p2p", "disk", "external_unspecified")),
    "generation_tokens": ("", ()),
    "request_success": ("finished_reason", ("stop", "length", "abort", "error", "repetition")),
}
GAUGES: dict[str, tuple[str, tuple[str, ...]]] = {
    "num_requests_running": ("", ()),
    "num_requests_waiting": ("", ()),
    "num_requests_waiting_by_reason": ("reason", ("capacity", "deferred")),
    "engine_sleep_state": ("sleep_state", ("awake", "weights_offloaded", "discard_all")),
    "kv_cache_usage_perc": ("", ()),
}

_REQUEST = (0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680)
_TOKEN = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80)
_FIRST = (
    *(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75),
    *(1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640, 2560),
)


def one_two_five(limit: int) -> tuple[int, ...]:
    """1 2 5 10 20 50 ... up to the limit."""
    series = (mantissa * 10**exponent for exponent in range(len(str(limit))) for mantissa in (1, 2, 5))
    return tuple(value for value in series if value <= limit)


def histogram_buckets(max_model_len: int) -> dict[str, tuple[float, ...]]:
    """The buckets of every histogram of a server with this context length."""
    tokens = one_two_five(max_model_len)
    return {
        "request_prompt_tokens": tokens,
        "request_generation_tokens": tokens,
        "iteration_tokens_total": (1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384),
        "request_max_num_generation_tokens": tokens,
        "request_params_n": (1, 2, 5, 10, 20),
        "request_params_max_tokens": tokens,
        "time_to_first_token_seconds": _FIRST,
        "inter_token_latency_seconds": _TOKEN,
        "request_time_per_output_token_seconds": _TOKEN,
        "e2e_request_latency_seconds": _REQUEST,
        "request_queue_time_seconds": _REQUEST,
        "request_inference_time_seconds": _REQUEST,
        "request_prefill_time_seconds": _REQUEST,
        "request_decode_time_seconds": _REQUEST,
        "request_num_preemptions": (1, 2, 3, 4, 5, 10, 20),
        "request_prefill_kv_computed_tokens": tokens,
    }


@dataclass(frozen=True, slots=True)
class EngineState:
    """The scheduler after a step; `kv_usage` is 0 to 1."""

    running: int = 0
    waiting: int = 0
    kv_usage: float = 0.0


@dataclass(frozen=True, slots=True)
class FinishedRequest:
    """The life of a request that has ended; times of the monotonic clock, in seconds."""

    reason: str
    prompt_tokens: int
    generation_tokens: int
    max_tokens: int
    arrived: float
    queued: float
    scheduled: float
    first: float
    last: float
    preemptions: int


class EngineMetrics:
    """The families of a server with one or more engine cores, and the page that shows them."""

    def __init__(self, model_name: str, max_model_len: int, engines: int = 1, blocks: int = BLOCKS) -> None:
        self.registry = CollectorRegistry()
        GCCollector(self.registry)
        PlatformCollector(self.registry)
        ProcessCollector(registry=self.registry)
        self._bases = [{"model_name": model_name, "engine": str(engine)} for engine in range(engines)]
        self._counters: dict[tuple[int, str, str], Counter] = {}
        self._gauges: dict[tuple[int, str, str], Gauge] = {}
        self._histograms: dict[tuple[int, str], Histogram] = {}
        for name, (label, values) in COUNTERS.items():
            counter = Counter(f"vllm:{name}", _help(name), self._labels(label), registry=self.registry)
            for engine, value, labels in self._children(label, values):
                self._counters[engine, name, value] = counter.labels(**labels)
        for name, (label, values) in GAUGES.items():
            gauge = Gauge(f"vllm:{name}", _help(name), self._labels(label), registry=self.registry)
            for engine, value, labels in self._children(label, values):
                self._gauges[engine, name, value] = gauge.labels(**labels)
        for name, buckets in histogram_buckets(max_model_len).items():
            histogram = Histogram(
                f"vllm:{name}", _help(name), self._labels(""), buckets=buckets, registry=self.registry
            )
            for engine, base in enumerate(self._bases):
                self._histograms[engine, name] = histogram.labels(**base)
        self._constants(model_name, max_model_len, blocks)

    def page(self) -> bytes:
        return generate_latest(self.registry)

    def count(self, name: str, amount: float, value: str = "", engine: int = 0) -> None:
        self._counters[engine, name, value].inc(amount)

    def gauge(self, name: str, value: float, label: str = "", engine: int = 0) -> None:
        self._gauges[engine, name, label].set(value)

    def observe(self, name: str, value: float, engine: int = 0) -> None:
        self._histograms[engine, name].observe(value)

    def scheduler(self, state: EngineState, engine: int = 0) -> None:
        """What the engine core said of itself with its last step."""
        self.gauge("num_requests_running", state.running, engine=engine)
        self.gauge("num_requests_waiting", state.waiting, engine=engine)
        self.gauge("num_requests_waiting_by_reason", state.waiting, "capacity", engine)
        self.gauge("kv_cache_usage_perc", state.kv_usage, engine=engine)

    def step(self, prompt_tokens: int, iteration_tokens: int, preemptions: int, engine: int = 0) -> None:
        """One engine step."""
        self.observe("iteration_tokens_total", iteration_tokens, engine)
        self.count("num_preemptions", preemptions, engine=engine)
        self.count("prompt_tokens", prompt_tokens, engine=engine)
        self.count("prompt_tokens_by_source", prompt_tokens, "local_compute", engine)

    def finished(self, request: FinishedRequest, engine: int = 0) -> None:
        """A request has ended."""
        generated = request.generation_tokens
        decode = request.last - request.first
        self.count("request_success", 1, request.reason, engine)
        for name, value in {
            "request_prompt_tokens": request.prompt_tokens,
            "request_generation_tokens": generated,
            "request_max_num_generation_tokens": generated,
            "request_params_n": 1,
            "request_params_max_tokens": request.max_tokens,
            "request_time_per_output_token_seconds": decode / (generated - 1) if generated > 1 else 0.0,
            "e2e_request_latency_seconds": time.monotonic() - request.arrived,
            "request_queue_time_seconds": request.scheduled - request.queued,
            "request_inference_time_seconds": request.last - request.scheduled,
            "request_prefill_time_seconds": request.first - request.scheduled,
            "request_decode_time_seconds": decode,
            "request_num_preemptions": request.preemptions,
            "request_prefill_kv_computed_tokens": request.prompt_tokens,
        }.items():
            self.observe(name, value, engine)

    def _labels(self, further: str) -> list[str]:
        return ["model_name", "engine", *filter(None, [further])]

    def _children(self, label: str, values: tuple[str, ...]) -> Iterator[tuple[int, str, dict[str, str]]]:
        for engine, base in enumerate(self._bases):
            for value in values or ("",):
                yield engine, value, {**base, **({label: value} if label else {})}

    def _constants(self, model_name: str, max_model_len: int, blocks: int) -> None:
        """What never moves here."""
        rejections = Counter(
            "vllm:admission_rejections",
            "Requests refused by a full queue.",
            ["model_name", "reason"],
            registry=self.registry,
        )
        for reason in ("max_num_queued_reqs", "max_num_queued_tokens"):
            rejections.labels(model_name=model_name, reason=reason)
        info = cache_config(max_model_len, blocks, len(self._bases))
        cache = Gauge("vllm:cache_config_info", "The cache configuration.", ["engine", *info], registry=self.registry)
        for engine in range(len(self._bases)):
            cache.labels(engine=str(engine), **info).set(1)
            self.gauge("engine_sleep_state", 1, "awake", engine)


def _help(name: str) -> str:
    return name.replace("_", " ").capitalize() + "."


def cache_config(max_model_len: int, blocks: int, engines: int) -> dict[str, str]:
    """The labels of `vllm:cache_config_info`; the set of names is that of 0.32. The blocks are those of all engines."""
    tokens = blocks * BLOCK_TOKENS
    set_values = {
        "_block_size_resolved": True, "block_size": BLOCK_TOKENS, "cache_dtype": "auto",
        "effective_attention_block_size": BLOCK_TOKENS, "enable_mamba_shared_prefix_checkpoint": False,
        "enable_prefix_caching": False, "gpu_memory_utilization": 0.92, "is_attention_free": False,
        "kv_cache_dtype_skip_layers": [], "kv_cache_max_concurrency": tokens / max_model_len,
        "kv_cache_size_tokens": tokens, "kv_offloading_backend": "native", "kv_sharing_fast_prefill": False,
        "mamba_cache_dtype": "auto", "mamba_cache_mode": "none", "mamba_ssm_cache_dtype": "float32",
        "num_gpu_blocks": blocks * engines, "prefix_cache_retention_interval": 0, "prefix_caching_hash_algo": "sha256",
        "replayssm_buffer_len": 16, "swa_bounded_replay": True, "use_kda_recoverssm": False,
        "use_replayssm": False, "user_specified_block_size": False,
    }  # fmt: skip
    return {name: str(value) for name, value in [*set_values.items(), *_unset()]}


def _unset() -> Iterable[tuple[str, None]]:
    names = (
        "cache_hit_alignment_tokens hash_block_size kv_cache_layout kv_cache_memory_bytes kv_offloading_size "
        "mamba_block_size mamba_page_size_padded num_cpu_blocks num_gpu_blocks_override prefix_match_unit "
        "skip_page_size_padded sliding_window"
    )
    return ((name, None) for name in names.split())
