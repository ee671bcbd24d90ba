"""What delays the first token: chunked prefill, the size of a step, a cold start, the way to the client."""

from paramedic.diagnosis.checkpoint import NOT_THERE, Checkpoint, Evidence, Question, bucket, seconds, words
from paramedic.model.text import Text

FULL = 0.9  # of a limit
NOTICED, AT_LEAST = 0.1, 0.05  # of the end-to-end time, and seconds: a tenth of next to nothing is nothing

_CHUNKED = Question(
    "chunked-prefill",
    "ttft",
    Text(
        "Is chunked prefill off, so that a long prompt holds up all others?",
        "是否关闭了分块预填充（长 prompt 会堵住其他请求）？",
    ),
    Text("start it with --enable-chunked-prefill", "启动时加 --enable-chunked-prefill"),
    Text(
        "give a target or a folder with its log: the start-up lines say it",
        "需要启动日志或启动参数：给出服务名或含日志的目录",
    ),
)


def chunked_prefill(evidence: Evidence) -> Checkpoint:
    on = evidence.switch("enable_chunked_prefill")
    mean = evidence.latency.mean("prefill")
    if on is None:
        return _CHUNKED.open(words(_PREFILL, mean=seconds(mean)))
    text = _CHUNKED_ON if on else _CHUNKED_OFF
    return _CHUNKED.answered(not on, words(text, mean=seconds(mean)))


_PREFILL = Text("mean prefill {mean}; whether it is on is not known", "prefill 平均 {mean}；是否开启未知")
_CHUNKED_ON = Text("it is on; mean prefill {mean}", "已开启；prefill 平均 {mean}")
_CHUNKED_OFF = Text("it is off; mean prefill {mean}", "未开启；prefill 平均 {mean}")

_STEP = Question(
    "step-size",
    "ttft",
    Text("Are steps too small for the prompts that wait?", "每步的 token 预算是否太小，prompt 在排队等？"),
    Text(
        "a larger --max-num-batched-tokens; more memory for activations",
        "调大 --max-num-batched-tokens（激活值占用会增加）",
    ),
    Text(
        "give a target or a folder with its log: --max-num-batched-tokens is the limit",
        "需要知道 --max-num-batched-tokens：给出服务名或含日志的目录",
    ),
)


def step_size(evidence: Evidence) -> Checkpoint:
    """Full steps while requests wait. A mean only: a prompt read in pieces is counted whole in its last step."""
    figures = evidence.figures
    tokens, steps = figures.growth("llm:step_tokens_total"), figures.growth("llm:steps_total")
    waiting = figures.mean("llm:requests_waiting")
    if not tokens or not steps or waiting is None:
        return _STEP.open(NOT_THERE)
    mean, limit = tokens / steps, evidence.number("max_num_batched_tokens")
    shown = {"mean": f"{mean:,.0f}", "waiting": f"{waiting:.1f}"}
    if limit is not None:
        found = words(_OF_LIMIT, limit=f"{limit:,.0f}", **shown)
        return _STEP.answered(mean >= FULL * limit and waiting >= 1, found)
    if waiting < 1:
        return _STEP.answered(False, words(_NOBODY_WAITS, **shown))
    return _STEP.open(words(_LIMIT_UNKNOWN, **shown))


_OF_LIMIT = Text(
    "{mean} of {limit} tokens a step, {waiting} requests waiting",
    "每步 {mean} / {limit} 个 token，平均 {waiting} 个请求在等",
)
_NOBODY_WAITS = Text(
    "{mean} tokens a step, {waiting} requests waiting", "每步 {mean} 个 token，平均 {waiting} 个请求在等"
)
_LIMIT_UNKNOWN = Text(
    "{mean} tokens a step, {waiting} requests waiting; the limit is not known",
    "每步 {mean} 个 token，平均 {waiting} 个请求在等；上限未知",
)

_COLD = Question(
    "cold-start",
    "ttft",
    Text(
        "Was the server just started, so that first requests compile and load?",
        "服务是否刚启动（首批请求要编译、加载）？",
    ),
    Text("send a warm-up request before it gets traffic", "接流量前先发预热请求"),
    Text(
        "the server does not expose process_start_time_seconds (several API servers)",
        "服务没有暴露 process_start_time_seconds（多 API server）",
    ),
)


def cold_start(evidence: Evidence) -> Checkpoint:
    figures = evidence.figures
    began = figures.last("process_start_time_seconds")
    if began is None:
        return _COLD.open(NOT_THERE)
    age = figures.end_ms / 1000 - began
    return _COLD.answered(age <= figures.seconds, words(_AGE, age=f"{age:,.0f}"))


_AGE = Text("it began {age} s before the window's end", "启动于窗口结束前 {age} 秒")

_NETWORK = Question(
    "outside-engine",
    "ttft",
    Text("Does time go by between the engine and the client?", "引擎与客户端之间是否耗时？"),
    Text(
        "look at the API server's CPU, clients that read slowly, proxies and the network",
        "检查 API server 的 CPU、读取慢的客户端、代理和网络",
    ),
    Text("measure at a client: paramedic knows the server's side only", "在客户端测量：这里只能看到服务端"),
)


def network(evidence: Evidence) -> Checkpoint:
    """What the HTTP server saw beyond the engine, and what clients saw beyond the server, where they were watched."""
    latency = evidence.latency
    outside, whole = latency.mean("outside"), latency.e2e.mean if latency.e2e else None
    client = evidence.figures.average("paramedic_client_ttft_seconds")
    own = latency.ttft
    if client is not None and own is not None and own.p50 is not None:
        beyond = max(0.0, client - (own.p50.high if own.p50.high is not None else client))
        found = words(_CLIENT, client=seconds(client), own=bucket(own.p50), outside=seconds(outside))
        slow = outside is not None and whole is not None and outside > max(AT_LEAST, NOTICED * whole)
        return _NETWORK.answered(beyond > max(AT_LEAST, NOTICED * client) or slow, found)
    if outside is None or whole is None:
        return _NETWORK.open(NOT_THERE)
    found = words(_HTTP, outside=seconds(outside), share=f"{outside / whole:.0%}")
    return _NETWORK.answered(outside > max(AT_LEAST, NOTICED * whole), found)


_CLIENT = Text(
    "TTFT P50 at the clients {client}, in the engine {own}; HTTP adds {outside} to a request",
    "TTFT P50：客户端 {client}，引擎 {own}；HTTP 每请求多 {outside}",
)
_HTTP = Text(
    "HTTP adds {outside} to a request ({share} of the end-to-end time); the way to the client is not seen from here",
    "HTTP 每请求多 {outside}（占端到端 {share}）；到客户端的网络在此看不到",
)
