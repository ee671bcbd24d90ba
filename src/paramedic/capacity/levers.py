"""Which flag moves which part of the memory, and by how much, for the server in hand."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from paramedic.capacity.account import Account, Settings, Stage
from paramedic.capacity.kv_cache import Shape
from paramedic.capacity.sayings import GIB
from paramedic.model.text import Text

STEP = 0.05  # of the device, as people turn this knob
SOME = 0.25  # GiB of KV cache, where nothing is known of what a request needs
HIGHEST = 0.97  # above it the driver and the libraries find no room
LOGIT_BYTES = 4  # of each word of the vocabulary and each sequence, in the sampler


@dataclass(frozen=True, slots=True)
class Lever:
    """One flag and what it does. None: by how much cannot be told from what is known.

    `kv_gib` and `tokens` change the KV cache, `device_gib` what is in use on the device; `helps` with what went wrong.
    """

    flag: str
    part: str
    effect: Text
    kv_gib: float | None = None
    tokens: int | None = None
    device_gib: float | None = None
    helps: bool = False
    long_term: bool = False  # needs more devices, or a look at the quality of the answers


def levers(account: Account, settings: Settings, shape: Shape | None = None) -> tuple[Lever, ...]:
    """What can be turned; what helps with what went wrong comes first, and of that what can be done at once."""
    found: list[Lever] = []
    for family in (_share, _length, _kv_dtype, _steps, _fragments, _graphs, _weights, _space):
        found.extend(_alone(account, lever) for lever in family(account, settings, shape))
    return tuple(sorted(found, key=lambda lever: (not lever.helps, lever.long_term)))


def _alone(account: Account, lever: Lever) -> Lever:
    """A lever that brings some tokens, but not one request of the full length, is said to be too little."""
    kv = account.kv
    if not (account.lacks_kv and lever.helps and lever.tokens is not None and kv.tokens is not None and kv.model_len):
        return lever
    if kv.tokens + lever.tokens >= kv.model_len:
        return lever
    text = lever.effect
    return replace(lever, helps=False, effect=Text(f"{text.en}; alone not enough", f"{text.zh}；单独使用还不够"))


def _share(account: Account, settings: Settings, _shape: Shape | None) -> Iterator[Lever]:
    """The share of the device that the engine may fill. It does not limit the weights while they are loaded."""
    if account.on_cpu or settings.get("kv_cache_memory_bytes") is not None:
        return
    now = account.utilization or _number(settings, "mem_fraction_static")
    flag = "--mem-fraction-static" if account.engine == "SGLang" else "--gpu-memory-utilization"
    late = account.out_of_memory is not None and account.stage in (Stage.CAPTURING, Stage.SERVING)
    if now is None:
        if account.lacks_kv or late:
            yield Lever(flag, "kv-cache", _LOWER_IT if late else _RAISE_IT, helps=True)
        return
    size = account.total if account.total is not None else account.free_at_start
    more = STEP if size is None else max(STEP, _missing_share(account, size))
    for to in (round(now + more, 4), round(now - STEP, 4)):
        if not STEP <= to <= HIGHEST:
            continue
        kv = None if size is None else (to - now) * size
        if kv is not None and not _starts(account, to, kv):
            continue
        helps = late if to < now else account.lacks_kv and not late
        yield Lever(f"{flag} {to:g}", "kv-cache", _MORE if to > now else _LESS, kv, _tokens(account, kv), kv, helps)


def _missing_share(account: Account, size: float) -> float:
    """By how much the share must grow, in hundredths, until one request of the full length fits."""
    kv, needed = account.gib("kv-cache"), account.kv.needed_gib
    if not account.lacks_kv or kv is None:
        return 0.0
    return math.ceil(((SOME if needed is None else needed) - kv) / size * 100 + 0.1) / 100


def _starts(account: Account, to: float, kv: float) -> bool:
    """The engine refuses a share larger than what was free, and dies when its graphs find no room beside it."""
    if kv < 0:
        return (account.gib("kv-cache") or 0.0) + kv > 0
    if account.total is not None and account.free_at_start is not None and to * account.total > account.free_at_start:
        return False
    left = account.gib("free")
    return left is None or left >= kv


def _length(account: Account, _settings: Settings, _shape: Shape | None) -> Iterator[Lever]:
    """How long one request may be."""
    kv = account.kv
    name = "--context-length" if account.engine == "SGLang" else "--max-model-len"
    if kv.fitting_len is not None and account.lacks_kv:
        yield Lever(f"{name} {kv.fitting_len}", "kv-cache", _FITS, helps=True)
    elif kv.model_len is not None and kv.concurrency is not None:
        effect = _filled(_HALF_AS_LONG, now=kv.concurrency, then=2 * kv.concurrency)
        yield Lever(f"{name} {kv.model_len // 2}", "kv-cache", effect, helps=account.lacks_kv and kv.concurrency > 0.5)


def _kv_dtype(account: Account, _settings: Settings, _shape: Shape | None) -> Iterator[Lever]:
    kv = account.kv
    if account.on_cpu or kv.dtype_bytes not in (2, 4) or (account.gib("kv-cache") or 0.0) < 0:
        return
    more = None if kv.tokens is None else kv.tokens * (kv.dtype_bytes - 1)
    value = "fp8_e5m2" if account.engine == "SGLang" else "fp8"
    effect = _filled(_NARROW, times=float(kv.dtype_bytes))
    yield Lever(f"--kv-cache-dtype {value}", "kv-cache", effect, tokens=more, helps=account.lacks_kv, long_term=True)


def _steps(account: Account, settings: Settings, shape: Shape | None) -> Iterator[Lever]:
    """What one step computes: its tokens set the peak of the activations, its sequences the sampler's memory."""
    ran_out = account.out_of_memory is not None and account.stage not in (Stage.LOADING, Stage.UNKNOWN)
    sglang = account.engine == "SGLang"
    batched = _number(settings, "chunked_prefill_size" if sglang else "max_num_batched_tokens")
    activations = account.gib("activations")
    if batched and batched >= 2 and not account.on_cpu:
        flag = "--chunked-prefill-size" if sglang else "--max-num-batched-tokens"
        half = None if activations is None else activations / 2
        effect = _SMALLER_STEPS if half is None else _filled(_SMALLER_STEPS_BY, gib=half)
        yield Lever(f"{flag} {int(batched) // 2}", "activations", effect, helps=ran_out)
    seqs = _number(settings, "max_running_requests" if sglang else "max_num_seqs")
    if seqs and seqs >= 2 and not account.on_cpu:
        flag = "--max-running-requests" if sglang else "--max-num-seqs"
        effect, less = _FEWER_SEQUENCES, None
        if shape and shape.vocabulary:
            less = -(seqs - seqs // 2) * shape.vocabulary * LOGIT_BYTES / GIB
            effect = _filled(_FEWER_SEQUENCES_BY, gib=-less)
        yield Lever(f"{flag} {int(seqs) // 2}", "activations", effect, device_gib=less, helps=ran_out)


def _fragments(account: Account, _settings: Settings, _shape: Shape | None) -> Iterator[Lever]:
    """What PyTorch holds and does not use could have served: it lies in pieces that are too small."""
    last = account.out_of_memory
    if last is not None and last.unused is not None and last.unused >= last.wanted:
        effect = _filled(_PIECES, unused=last.unused, wanted=last.wanted)
        yield Lever("PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True", "activations", effect, helps=True)


def _graphs(account: Account, settings: Settings, _shape: Shape | None) -> Iterator[Lever]:
    size = account.gib("cuda-graphs")
    if account.on_cpu or size == 0 or settings.get("enforce_eager") is True:
        return
    flag = "--disable-cuda-graph" if account.engine == "SGLang" else "--enforce-eager"
    effect = _NO_GRAPHS if size is None else _filled(_NO_GRAPHS_BY, gib=size)
    helps = account.out_of_memory is not None and account.stage is Stage.CAPTURING
    yield Lever(flag, "cuda-graphs", effect, device_gib=None if size is None else -size, helps=helps)


def _weights(account: Account, settings: Settings, _shape: Shape | None) -> Iterator[Lever]:
    """Less weight a device: more devices, or narrower numbers. What is saved goes to the KV cache."""
    weights, kv, each = account.gib("weights"), account.gib("kv-cache"), account.kv.bytes_per_token
    if account.on_cpu:
        return
    early = account.stage in (Stage.LOADING, Stage.PROFILING)
    helps = account.lacks_kv or (account.out_of_memory is not None and early)
    half = None if weights is None else weights / 2
    name = "tp_size" if account.engine == "SGLang" else "tensor_parallel_size"
    now = int(_number(settings, name) or 1)
    tokens = None
    if half is not None and kv is not None and each and account.kv.tokens is not None:
        tokens = int((kv + half) * GIB / (each / 2)) - account.kv.tokens
    effect = _filled(_SPLIT, devices=float(2 * now))
    yield Lever(f"--{name.replace('_', '-')} {2 * now}", "weights", effect, half, tokens, helps=helps, long_term=True)
    if settings.get("dtype") == "float32":
        yield Lever("--dtype bfloat16", "weights", _HALF_WIDTH, half, _tokens(account, half), helps=helps)
    elif settings.get("quantization") in (None, "") and settings.get("dtype") in ("bfloat16", "float16", "half"):
        yield Lever(
            "--quantization fp8", "weights", _QUANTIZED, half, _tokens(account, half), helps=helps, long_term=True
        )


def _space(account: Account, settings: Settings, _shape: Shape | None) -> Iterator[Lever]:
    """The KV cache of the CPU engine, or one whose size was given in bytes."""
    given = _number(settings, "kv_cache_memory_bytes")
    if given is not None and not account.on_cpu:
        more = int(given + GIB)
        yield Lever(
            f"--kv-cache-memory-bytes {more}", "kv-cache", _EXACT, 1.0, _tokens(account, 1.0), 1.0, account.lacks_kv
        )
    elif account.on_cpu:
        now = account.gib("kv-cache")
        to = 4 if now is None else int(now) + 1
        more_gib = None if now is None else to - now
        flag = f"VLLM_CPU_KVCACHE_SPACE={to}" if given is None else f"--kv-cache-memory-bytes {to * GIB}"
        yield Lever(flag, "kv-cache", _RAM, more_gib, _tokens(account, more_gib), more_gib, account.lacks_kv)


def _tokens(account: Account, gib: float | None) -> int | None:
    each = account.kv.bytes_per_token
    return None if gib is None or not each else int(gib * GIB / each)


def _number(settings: Settings, name: str) -> float | None:
    value = settings.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _filled(text: Text, **values: float) -> Text:
    return Text(text.en.format(**values), text.zh.format(**values))


_MORE = Text("more for the KV cache, less room for what grows at run time", "KV 缓存变大，运行时余量变小")
_LESS = Text("more room for what grows at run time, less for the KV cache", "运行时余量变大，KV 缓存变小")
_RAISE_IT = Text(
    "raise it: more for the KV cache; what it is now is not in this log", "调大：KV 缓存变大；当前值日志里没有"
)
_LOWER_IT = Text(
    "lower it: more room for what grows at run time; what it is now is not in this log",
    "调小：运行时余量变大；当前值日志里没有",
)
_FITS = Text("the longest request that fits the KV cache as it is", "现有 KV 缓存能放下的最长请求")
_HALF_AS_LONG = Text(
    "the KV cache stays as it is; {now:.2f} -> {then:.2f} requests of full length fit",
    "KV 缓存大小不变；最长请求可同时放下 {now:.2f} -> {then:.2f} 个",
)
_NARROW = Text(
    "{times:.0f} times the tokens in the same memory; check the quality of the answers",
    "同样显存可放 {times:.0f} 倍 token；需检查输出质量",
)
_SMALLER_STEPS = Text(
    "a smaller peak of activations, by how much is not known; long prompts take more steps",
    "激活峰值变小，幅度未知；长 prompt 需要更多步",
)
_SMALLER_STEPS_BY = Text(
    "a smaller peak of activations, by at most {gib:.2f} GiB, for the KV cache; long prompts take more steps",
    "激活峰值最多减少 {gib:.2f} GiB，让给 KV 缓存；长 prompt 需要更多步",
)
_FEWER_SEQUENCES = Text(
    "less for the sampler (sequences x vocabulary x 4 bytes: --model-config tells how much); fewer at once",
    "采样器占用变小（序列数 x 词表 x 4 字节，可用 --model-config 得出）；并发变少",
)
_FEWER_SEQUENCES_BY = Text(
    "{gib:.2f} GiB less for the sampler, which no budget counts; fewer at once",
    "采样器少占 {gib:.2f} GiB（不计入任何预算）；并发变少",
)
_PIECES = Text(
    "{unused:.2f} GiB were reserved and not in use, more than the {wanted:.2f} GiB wanted: they lay in pieces",
    "已预留未用 {unused:.2f} GiB，多于所需的 {wanted:.2f} GiB：是显存碎片",
)
_NO_GRAPHS = Text("no CUDA graphs; decoding gets several times slower", "不用 CUDA 图；解码会慢数倍")
_NO_GRAPHS_BY = Text(
    "frees the {gib:.2f} GiB of CUDA graphs; decoding gets several times slower",
    "释放 CUDA 图占用的 {gib:.2f} GiB；解码会慢数倍",
)
_SPLIT = Text(
    "half of the weights and half of each token a device; needs {devices:.0f} devices",
    "每卡权重和每个 token 的 KV 减半；需要 {devices:.0f} 张卡",
)
_HALF_WIDTH = Text("half of the weights, as most models were trained", "权重减半，多数模型本就是这种精度")
_QUANTIZED = Text("about half of the weights; check the quality of the answers", "权重约减半；需检查输出质量")
_EXACT = Text(
    "one GiB more for the KV cache; no measurement protects the rest", "KV 缓存多 1 GiB；没有显存探测保护其余部分"
)
_RAM = Text("more memory of the host for the KV cache", "KV 缓存占用更多内存")
