"""Adding up the memory of a server's device from what the engine said of it as it started."""

from collections.abc import Mapping, Sequence

from paramedic.capacity.account import Account, Known, KvCache, OutOfMemory, Part, Settings, Stage
from paramedic.capacity.kv_cache import DTYPE_BYTES, Shape
from paramedic.capacity.sayings import GIB
from paramedic.capacity.startup import Figure, Start
from paramedic.model.text import NO_WORDS, Text

Said = Mapping[str, Figure]
LARGE_GRAPHS = 2.0  # GiB: few models need more
BLOCK = 16  # tokens, where nothing else is said
SGLANG = "SGLang"


def add_up(start: Start, settings: Settings, total: float | None = None, shape: Shape | None = None) -> Account:
    """The account of the device whose KV cache is the smallest, for that one decides.

    `total`: GiB of the device, where the log does not say it. `shape`: of the model, where its config.json is known.
    """
    rank = _tightest(start)
    said = start.of_rank(rank)
    size = said.get("total") or (Figure(total, "", 0) if total is not None else None)
    utilization = _value(said, "utilization") or _number(settings, "gpu_memory_utilization")
    budget = None if start.on_cpu or "kv_reserved" in said else _budget(said, size, utilization)
    kv = _kv(start, rank, said, settings)
    weights, outside = _weights(start, rank, said), _outside(said)
    activations = _activations(said, budget, weights, kv, outside)
    parts = [] if start.on_cpu else [_before(_free_at_start(start, rank, said), size)]
    parts += [weights, kv]
    parts += [] if start.engine == SGLANG or start.on_cpu else [activations]
    parts += [] if start.engine == SGLANG or start.on_cpu or activations.note == _REST_OF_BUDGET else [outside]
    parts += [] if start.on_cpu else [_graphs(start, rank, said, settings)]
    return Account(
        engine=start.engine,
        version=start.version,
        on_cpu=start.on_cpu,
        stage=_stage(start, said),
        rank=rank,
        ranks=len(start.ranks()),
        total=size.value if size else None,
        free_at_start=first.value if (first := _free_at_start(start, rank, said)) else None,
        budget=budget,
        utilization=utilization,
        parts=(*parts, _rest(start, parts, said, size)),
        kv=_kv_cache(said, kv, settings, shape),
        off_budget=_off(said, weights, activations, outside),
        out_of_memory=_out_of_memory(start),
    )


def _stage(start: Start, said: Said) -> Stage:
    if start.has_served:
        return Stage.SERVING
    if any(what in said for what in ("kv", "kv_reserved", "kv_set", "k", "tokens", "blocks")):
        return Stage.CAPTURING
    if "weights" in said or "weight_set" in said:
        return Stage.PROFILING
    return Stage.LOADING if start.has_begun_to_load else Stage.UNKNOWN


def _tightest(start: Start) -> str:
    ranks = start.ranks() or [""]
    room = {rank: figures[-1].value for rank in ranks if (figures := start.said.get(rank, {}).get("kv"))}
    return min(room, key=lambda rank: room[rank]) if room else ranks[0]


def _budget(said: Said, size: Figure | None, utilization: float | None) -> float | None:
    if (named := _value(said, "budget")) is not None:
        return named
    return size.value * utilization if size and utilization else None


# The parts


_LOADING = Text("the log ends before the weights were loaded", "日志在权重加载完成之前就结束了")
_DIED_LOADING = Text(
    "it died while it loaded them: {allocated:.2f} GiB were allocated, {wanted:.2f} GiB more were wanted",
    "加载权重时退出：已分配 {allocated:.2f} GiB，还要 {wanted:.2f} GiB",
)
_OF_CHECKPOINT = Text("the size of the checkpoint's files", "按模型权重文件大小计")
_RESERVED = Text("as given on the command line", "由启动参数指定")
_NOT_SAID = Text("this log does not say it", "日志里没有")
_NOT_PROFILED = Text(
    "not measured: a KV cache of a given size skips the measurement", "未测量：指定 KV 缓存大小时引擎不做显存探测"
)
_OF_BLOCKS = Text(
    "{used:,.0f} of {possible:,.0f} blocks that would fit", "可容纳 {possible:,.0f} 块，只用了 {used:,.0f} 块"
)
_REST_OF_BUDGET = Text(
    "budget less weights and KV cache; what lies outside PyTorch is in it",
    "预算减去权重和 KV 缓存；含 PyTorch 之外的部分",
)
_LESS_GRAPHS = Text("the peak less what was set aside for CUDA graphs", "峰值减去为 CUDA 图预留的部分")
_LESS_WEIGHTS = Text("the peak of PyTorch less the weights", "PyTorch 峰值减去权重")
_CONSUMED = Text("what was consumed less the weights", "已占用显存减去权重")
_TAKEN_MEANWHILE = Text(
    "as free memory shrank: what other programs took meanwhile is in it",
    "按空闲显存的减少计：期间其他程序的占用也算在内",
)
_EAGER = Text("none: eager mode", "无：eager 模式")
_SIZE = Text(
    "the size of the device is not in this log: --gpu-memory GIB", "日志里没有显存总量：可用 --gpu-memory GIB 给出"
)
_OTHERS = Text("the size of the device less what was free as the engine began", "显存总量减去引擎启动时的空闲量")
_LEFT = Text("what is left", "剩余")
_LEFT_AND_UNKNOWN = Text("what is left, and all that is not known", "剩余部分，以及所有未知部分")
_ON_THE_HOST = Text("activations, other programs and what is free", "激活值、其他程序和空闲内存")
_AT_THE_END = Text("free after the start", "启动完成后空闲")


def _weights(start: Start, rank: str, said: Said) -> Part:
    if sets := start.of_all(rank, "weight_set"):  # SGLang loads a draft model after the other
        return _summed("weights", sets)
    if figure := said.get("weights"):
        return _said("weights", figure)
    if (allocated := said.get("oom_allocated")) and (wanted := said.get("wanted")):
        note = _filled(_DIED_LOADING, allocated=allocated.value, wanted=wanted.value)
        return Part("weights", None, Known.UNKNOWN, allocated.file, allocated.line, note)
    if figure := said.get("checkpoint"):
        return Part("weights", figure.value, Known.COMPUTED, figure.file, figure.line, _OF_CHECKPOINT)
    early = _stage(start, said) in (Stage.LOADING, Stage.UNKNOWN)
    return Part("weights", None, Known.UNKNOWN, note=_LOADING if early and start.has_begun_to_load else _NOT_SAID)


def _kv(start: Start, rank: str, said: Said, settings: Settings) -> Part:
    sets = [figure for what in ("k", "v", "kv_set") for figure in start.of_all(rank, what)]
    if sets:
        return _summed("kv-cache", sets)
    if figure := said.get("kv_reserved"):
        return Part("kv-cache", figure.value, Known.SAID, figure.file, figure.line, _RESERVED)
    exact = _number(settings, "kv_cache_memory_bytes")
    figure = said.get("kv")
    if figure is None:
        return Part("kv-cache", None, Known.UNKNOWN, note=_NOT_SAID)
    if exact is not None:
        return Part("kv-cache", exact / GIB, Known.SAID, figure.file, figure.line, _RESERVED)
    if (used := said.get("blocks_used")) and (possible := said.get("blocks_possible")):
        share = used.value / possible.value
        note = _filled(_OF_BLOCKS, used=used.value, possible=possible.value)
        return Part("kv-cache", figure.value * share, Known.COMPUTED, used.file, used.line, note)
    return _said("kv-cache", figure)


def _outside(said: Said) -> Part:
    if figure := said.get("outside"):
        return _said("outside", figure)
    if (consumed := said.get("consumed")) and (weights := said.get("weights")):
        rest = max(0.0, consumed.value - weights.value)
        return Part("outside", rest, Known.COMPUTED, consumed.file, consumed.line, _CONSUMED)
    return Part("outside", None, Known.UNKNOWN, note=_NOT_SAID)


def _activations(said: Said, budget: float | None, weights: Part, kv: Part, outside: Part) -> Part:
    if figure := said.get("activations"):
        return _said("activations", figure)
    if peak := said.get("peak"):
        set_aside = _value(said, "graphs_estimated") or _value(said, "graphs") or 0.0
        rest = max(0.0, peak.value - set_aside)
        return Part("activations", rest, Known.COMPUTED, peak.file, peak.line, _LESS_GRAPHS)
    if (peak := said.get("torch_peak")) and weights.gib is not None:
        rest = max(0.0, peak.value - weights.gib)
        return Part("activations", rest, Known.COMPUTED, peak.file, peak.line, _LESS_WEIGHTS)
    if "kv_reserved" in said:
        return Part("activations", None, Known.UNKNOWN, note=_NOT_PROFILED)
    possible = said.get("kv")
    if budget is not None and weights.gib is not None and possible and outside.gib is None:
        rest = budget - weights.gib - possible.value
        if rest >= 0:
            return Part("activations", rest, Known.COMPUTED, note=_REST_OF_BUDGET)
    return Part("activations", None, Known.UNKNOWN, note=_NOT_SAID)


def _graphs(start: Start, rank: str, said: Said, settings: Settings) -> Part:
    if sets := start.of_all(rank, "graph_set"):  # SGLang captures several, one after the other
        return _summed("cuda-graphs", sets)
    if settings.get("enforce_eager") is True or settings.get("disable_cuda_graph") is True:
        return Part("cuda-graphs", 0.0, Known.COMPUTED, note=_EAGER)
    if figure := said.get("graphs"):
        note = _TAKEN_MEANWHILE if figure.value > LARGE_GRAPHS else NO_WORDS
        return Part("cuda-graphs", figure.value, Known.SAID, figure.file, figure.line, note)
    return Part("cuda-graphs", None, Known.UNKNOWN, note=_NOT_SAID)


def _free_at_start(start: Start, rank: str, said: Said) -> Figure | None:
    """The first word on it: SGLang says it again before a draft model."""
    return next(iter(start.of_all(rank, "free_at_start")), said.get("free_at_start"))


def _before(free: Figure | None, size: Figure | None) -> Part:
    if free and size:
        return Part("before", max(0.0, size.value - free.value), Known.COMPUTED, free.file, free.line, _OTHERS)
    return Part("before", None, Known.UNKNOWN, note=_NOT_SAID if size else _SIZE)


def _rest(start: Start, parts: Sequence[Part], said: Said, size: Figure | None) -> Part:
    """What is left on the device; where other parts are not known, it holds them too and says so."""
    if figure := said.get("free_at_end"):
        return Part("free", figure.value, Known.SAID, figure.file, figure.line, _AT_THE_END)
    if size is None or not any(part.gib for part in parts):
        note = _NOT_SAID if size or start.on_cpu else _SIZE
        return Part("free", None, Known.UNKNOWN, note=note)
    known = [part.gib for part in parts if part.gib is not None]
    whole = len(known) == len(parts) and not start.on_cpu
    note = _LEFT if whole else _ON_THE_HOST if start.on_cpu else _LEFT_AND_UNKNOWN
    return Part("free" if whole else "rest", size.value - sum(known), Known.COMPUTED, note=note)


def _off(said: Said, *others: Part) -> float | None:
    """Only a budget that the engine itself named can be missed. A cache of fewer blocks leaves its share unused."""
    budget, kv = said.get("budget"), said.get("kv")
    if budget is None or kv is None or any(part.gib is None for part in others):
        return None
    set_aside = _value(said, "graphs_estimated") or 0.0
    if "peak" in said and not set_aside:
        set_aside = said["peak"].value - sum(part.gib or 0.0 for part in others if part.id == "activations")
    return sum(part.gib or 0.0 for part in others) + kv.value + set_aside - budget.value


# The KV cache


def _kv_cache(said: Said, kv: Part, settings: Settings, shape: Shape | None) -> KvCache:
    model_len = _value(said, "model_len") or _number(settings, "max_model_len") or _number(settings, "context_length")
    width = _dtype_bytes(settings)
    tokens = _tokens(said, settings)
    needed, fitting = _value(said, "kv_needed") or None, _value(said, "fitting_len")
    each = None
    if shape and width:
        parallel = int(_number(settings, "tensor_parallel_size") or _number(settings, "tp_size") or 1)
        stages = int(_number(settings, "pipeline_parallel_size") or _number(settings, "pp_size") or 1)
        each = float(shape.bytes_per_token(width, parallel, stages))
    elif kv.gib and tokens:
        each = kv.gib * GIB / tokens
    elif needed and needed >= 1 and model_len:  # a smaller one is rounded too much
        each = needed * GIB / model_len
    elif kv.gib and fitting:
        each = kv.gib * GIB / fitting
    if tokens is None and each and kv.gib is not None:
        tokens = max(0, int(kv.gib * GIB / each))
    if needed is None and each and model_len:
        needed = each * model_len / GIB
    concurrency = _value(said, "concurrency")
    if concurrency is None and tokens is not None and model_len:
        concurrency = tokens / model_len
    return KvCache(tokens, each, _int(model_len), concurrency, width, needed, _int(fitting))


def _tokens(said: Said, settings: Settings) -> int | None:
    if (tokens := _value(said, "tokens")) is not None:
        return int(tokens)
    blocks = _value(said, "blocks")
    return None if blocks is None else int(blocks * (_number(settings, "block_size") or BLOCK))


def _dtype_bytes(settings: Settings) -> int | None:
    """Of one number in the KV cache: its own type, else the model's."""
    own = str(settings.get("kv_cache_dtype", "auto")).lower()
    name = str(settings.get("dtype", "")).lower() if own == "auto" else own
    return DTYPE_BYTES.get(name.removeprefix("torch."))


# The last moment


def _out_of_memory(start: Start) -> OutOfMemory | None:
    wanted = start.all("wanted")
    if not wanted:
        return None
    last = wanted[-1]

    def beside(what: str) -> list[Figure]:
        return [figure for figure in start.all(what) if (figure.file, figure.line) == (last.file, last.line)]

    def one(what: str) -> float | None:
        found = beside(what)
        return found[0].value if found else None

    pids, sizes = beside("oom_pid"), beside("oom_neighbour")
    neighbours = tuple((int(pid.value), size.value) for pid, size in zip(pids, sizes, strict=True))
    held = (one("total"), one("oom_free"), one("oom_process"), one("oom_allocated"), one("oom_unused"))
    return OutOfMemory(last.file, last.line, last.value, *held, neighbours)


def _summed(name: str, sets: Sequence[Figure]) -> Part:
    return Part(name, sum(one.value for one in sets), Known.SAID, sets[-1].file, sets[-1].line)


def _said(name: str, figure: Figure) -> Part:
    return Part(name, figure.value, Known.SAID, figure.file, figure.line)


def _value(said: Said, what: str) -> float | None:
    figure = said.get(what)
    return figure.value if figure else None


def _number(settings: Settings, name: str) -> float | None:
    value = settings.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _int(value: float | None) -> int | None:
    return None if value is None else int(value)


def _filled(text: Text, **values: float) -> Text:
    return Text(text.en.format(**values), text.zh.format(**values))
