"""What delays every further token: an idle GPU, slow kernels, the host between two steps, missing CUDA graphs."""

from paramedic.diagnosis.checkpoint import NOT_THERE, Checkpoint, Evidence, Question, seconds, words
from paramedic.model.text import NO_WORDS, Text

BUSY = 0.7  # of a GPU's time: the guide's threshold
NOTICED, AT_LEAST = 0.1, 0.005  # of the end-to-end time, and seconds
CORE = 0.9  # of a core: one Python process computes on no more
GB = 1e9
GIB = 1024**3
SLOW_KERNELS = (  # what an engine writes when it has no tuned kernel for this card
    "Performance might be sub-optimal",
    "may degrade performance",
    "Falling back to a slower",
)

_GPU = Question(
    "gpu-use",
    "tpot",
    Text("Does the GPU idle while requests run?", "有请求在跑时 GPU 是否空闲？"),
    Text(
        "the CPU holds it up: free cores for the engine, larger batches, CUDA graphs",
        "GPU 在等 CPU：给引擎留出 CPU、增大批次、启用 CUDA 图",
    ),
    Text(
        "`nvidia-smi dmon`, or record the server: `paramedic record`",
        "用 `nvidia-smi dmon` 查看，或 `paramedic record` 录制",
    ),
)


def gpu_use(evidence: Evidence) -> Checkpoint:
    figures = evidence.figures
    use, running = figures.average("paramedic_gpu_utilization"), figures.mean("llm:requests_running")
    if use is None:
        return _GPU.open(NOT_THERE)
    found = words(_USE, use=f"{use:.0%}", running="–" if running is None else f"{running:.1f}")
    if running is None:
        return _GPU.open(found)
    return _GPU.answered(use < BUSY and running >= 1, found)


_USE = Text("GPU busy {use} of the time, {running} requests running", "GPU 利用率 {use}，平均 {running} 个请求在跑")

_KERNELS = Question(
    "kernels",
    "tpot",
    Text(
        "Are the kernels slow: a wide type, or none tuned for this card?",
        "Kernel 是否低效（精度过宽、缺少调优配置）？",
    ),
    Text("--dtype bfloat16", "使用 --dtype bfloat16"),
    Text(
        "give a target or a folder with its log: it says the type and warns of slow kernels",
        "需要日志：里面有精度和慢 kernel 告警；给出服务名或含日志的目录",
    ),
)


def kernels(evidence: Evidence) -> Checkpoint:
    """The number is how fast weights are read: a step reads all of them, and the card's bandwidth is its limit."""
    dtype, speed = evidence.word("dtype"), _reads(evidence)
    if dtype in ("float32", "float"):
        return _KERNELS.answered(True, words(_WIDE, speed=speed))
    slow = [line for line in evidence.warnings or () if any(sign in line for sign in SLOW_KERNELS)]
    if slow:
        return _KERNELS.open(words(_WARNED, line=slow[0], speed=speed), _TUNE)  # it may cost time: nobody measured it
    if evidence.warnings is None or dtype is None:
        return _KERNELS.open(words(_READ, speed=speed) if speed else NOT_THERE)
    return _KERNELS.answered(False, words(_NARROW, dtype=dtype, speed=speed))


def _reads(evidence: Evidence) -> Text:
    steps = evidence.figures.growth("llm:steps_total")
    if evidence.weights_gib is None or not evidence.weights_gib or not steps:
        return NO_WORDS
    return words(_SPEED, gb=f"{evidence.weights_gib * GIB * steps / evidence.figures.seconds / GB:,.0f}")


_SPEED = Text(
    "; weights are read at {gb} GB/s, to be compared with the card's bandwidth",
    "；读取权重 {gb} GB/s，可与显卡带宽比较",
)
_TUNE = Text(
    "tune the kernel as the log asks, and compare; the default is often as fast",
    "按日志提示生成调优配置后对比；默认配置往往同样快",
)
_WIDE = Text("32-bit weights{speed}", "权重为 32 位{speed}")
_READ = Text("the type is not known{speed}", "精度未知{speed}")
_WARNED = Text("its log: {line}{speed}", "日志：{line}{speed}")
_NARROW = Text("{dtype}, no warning in its log{speed}", "{dtype}，日志无告警{speed}")

_HOST = Question(
    "host-overhead",
    "tpot",
    Text("Does the host hold up the engine between two steps?", "两步之间是否被主机侧拖慢（同步、分词、HTTP）？"),
    Text(
        "--api-server-count above 1, free cores; look for what else runs on the host",
        "增加 --api-server-count、留出 CPU 核，并查看主机上的其他负载",
    ),
    Text(
        "the server exposes no process_cpu_seconds_total (several API servers)",
        "服务没有暴露 process_cpu_seconds_total（多 API server）",
    ),
)


def host_overhead(evidence: Evidence) -> Checkpoint:
    figures, latency = evidence.figures, evidence.latency
    used = figures.growth("process_cpu_seconds_total")
    cores = None if used is None else used / figures.seconds
    front, share = latency.mean("front-end"), latency.share("front-end")
    shown = {
        "cores": "–" if cores is None else f"{cores:.2f}",
        "front": seconds(front),
        "share": "–" if share is None else f"{share:.0%}",
    }
    found = words(_FRONT, **shown)
    busy = cores is not None and cores >= CORE
    slow = share is not None and front is not None and share > NOTICED and front > AT_LEAST
    if cores is None and share is None:
        return _HOST.open(NOT_THERE)
    return _HOST.answered(busy or slow, found)


_FRONT = Text(
    "the API server uses {cores} cores; the front end takes {front} of a request ({share})",
    "API server 占 {cores} 核；前端占每请求 {front}（{share}）",
)

_GRAPHS = Question(
    "cuda-graphs",
    "tpot",
    Text("Are CUDA graphs off?", "是否没有启用 CUDA 图？"),
    Text(
        "start it without --enforce-eager (an 8B model on an H100 was 5 times as fast alone, 3 times with 64 streams)",
        "去掉 --enforce-eager（实测 H100 上 8B 模型：单流解码快 5 倍，64 流快 3 倍）",
    ),
    Text("give a target or a folder with its log", "给出服务名或含日志的目录"),
)


def cuda_graphs(evidence: Evidence) -> Checkpoint:
    eager = evidence.switch("enforce_eager")
    latency = evidence.latency
    each = latency.tpot or latency.itl
    mean = seconds(each.mean if each else None)
    if eager is None:
        return _GRAPHS.open(words(_TOKEN, mean=mean))
    return _GRAPHS.answered(eager, words(_EAGER if eager else _NOT_EAGER, mean=mean))


_TOKEN = Text("mean time per token {mean}", "平均每 token {mean}")
_EAGER = Text("eager mode; mean time per token {mean}", "eager 模式；平均每 token {mean}")
_NOT_EAGER = Text("they are on; mean time per token {mean}", "已启用；平均每 token {mean}")
