"""What makes the slowest requests slow: the queue, the scheduler's choices, others on the machine, uneven load."""

from paramedic.diagnosis.checkpoint import NOT_THERE, Checkpoint, Evidence, Question, bucket, seconds, words
from paramedic.model.text import Text
from paramedic.signals.series import Matcher

NOTICED, AT_LEAST = 0.1, 0.05  # of the end-to-end time, and seconds
FULL = 0.9  # of the KV cache
STUTTER = 4.0  # times the median
PRESSED = 0.1  # of the time some process waited for a processor
UNEVEN = 1.3  # times the mean

_QUEUE = Question(
    "concurrency",
    "tail",
    Text("Do requests wait in the queue?", "请求是否在排队？"),
    Text(
        "prompts wait for room in a step: a larger --max-num-batched-tokens, or another replica",
        "prompt 在等每步的 token 预算：调大 --max-num-batched-tokens，或加副本",
    ),
    Text("the engine exposes no queue times", "引擎没有暴露排队时间"),
)


def concurrency(evidence: Evidence) -> Checkpoint:
    figures, latency = evidence.figures, evidence.latency
    queue, waiting = latency.mean("queue"), figures.mean("llm:requests_waiting")
    if queue is None:
        return _QUEUE.open(NOT_THERE)
    share, seats = latency.share("queue"), evidence.number("max_num_seqs")
    running, used = figures.highest("llm:requests_running"), figures.highest("llm:kv_cache_usage")
    spread = next(part.spread for part in latency.parts if part.id == "queue")
    found = words(
        _WAITED,
        mean=seconds(queue),
        p95=bucket(spread.p95 if spread else None),
        waiting="–" if waiting is None else f"{waiting:.1f}",
        running="–" if running is None else f"{running:.0f}",
        seats="?" if seats is None else f"{seats:.0f}",
        kv="–" if used is None else f"{used:.0%}",
    )
    waits = queue > AT_LEAST and (share is None or share > NOTICED)
    if used is not None and used >= FULL:
        return _QUEUE.answered(waits, found, _CACHE_FULL)
    if seats is not None and running is not None and running >= seats:
        return _QUEUE.answered(waits, found, _SEATS_TAKEN)
    return _QUEUE.answered(waits, found)


_CACHE_FULL = Text(
    "a larger KV cache (`paramedic memory` tells how), or another replica",
    "增大 KV 缓存（`paramedic memory` 给出办法），或加副本",
)
_SEATS_TAKEN = Text(
    "a larger --max-num-seqs: all seats are taken and KV cache is free", "调大 --max-num-seqs：座位已满而 KV 缓存有余量"
)


_WAITED = Text(
    "queue {mean} on average, P95 {p95}; {waiting} waiting, up to {running} of {seats} running, KV cache up to {kv}",
    "排队平均 {mean}，P95 {p95}；平均等待 {waiting} 个，最多在跑 {running}/{seats} 个，KV 缓存最高 {kv}",
)

_SCHEDULER = Question(
    "scheduling",
    "tail",
    Text(
        "Does the scheduler take turns away: preemptions, prompts between tokens?",
        "调度是否打断请求（抢占、长 prefill 插队）？",
    ),
    Text(
        "a larger KV cache against preemptions; a smaller --max-num-batched-tokens against stutter",
        "抢占：增大 KV 缓存；卡顿：调小 --max-num-batched-tokens",
    ),
    Text("the engine exposes neither preemptions nor token intervals", "引擎没有暴露抢占次数和 token 间隔"),
)


def scheduling(evidence: Evidence) -> Checkpoint:
    taken, itl = evidence.figures.growth("llm:preemptions_total"), evidence.latency.itl
    if taken is None and itl is None:
        return _SCHEDULER.open(NOT_THERE)
    median, slow = (itl.p50, itl.p99) if itl else (None, None)
    stutters = median is not None and slow is not None and median.high is not None and slow.low > STUTTER * median.high
    found = words(_TURNS, taken="–" if taken is None else f"{taken:.0f}", p50=bucket(median), p99=bucket(slow))
    return _SCHEDULER.answered(
        bool(taken) or stutters, found, _MORE_CACHE if taken else _SMALLER_STEPS if stutters else None
    )


_MORE_CACHE = Text(
    "a larger KV cache (`paramedic memory` tells how), or fewer requests at once",
    "增大 KV 缓存（`paramedic memory` 给出办法），或减少并发",
)
_SMALLER_STEPS = Text(
    "a smaller --max-num-batched-tokens, so that prompts are read between tokens in smaller pieces",
    "调小 --max-num-batched-tokens，让 prefill 分成更小的块",
)


_TURNS = Text(
    "{taken} preemptions; time between tokens P50 {p50}, P99 {p99}", "抢占 {taken} 次；token 间隔 P50 {p50}，P99 {p99}"
)

_OTHERS = Question(
    "contention",
    "tail",
    Text("Do others compete for the GPU or the processors?", "是否有其他负载争用 GPU 或 CPU？"),
    Text("move them, or pin the engine to processors of its own", "迁走其他负载，或给引擎绑定独占的 CPU"),
    Text("record the server with its host: `paramedic record`", "连同主机一起录制：`paramedic record`"),
)


def contention(evidence: Evidence) -> Checkpoint:
    figures = evidence.figures
    pressure = figures.average("paramedic_host_cpu_pressure")
    others = figures.mean("paramedic_gpu_process_memory_bytes", Matcher("part", "=", "other"))
    slowed = [
        figures.average("paramedic_gpu_throttle", Matcher("reason", "=", each))
        for each in ("hw_slowdown", "hw_thermal", "sw_thermal")
    ]
    throttled = max((each for each in slowed if each is not None), default=None)
    if pressure is None and others is None and throttled is None:
        return _OTHERS.open(NOT_THERE)
    found = words(
        _PRESSURE,
        pressure="–" if pressure is None else f"{pressure:.0%}",
        others="–" if others is None else f"{others / 1024**3:.1f} GiB",
        throttled="–" if throttled is None else f"{throttled:.0%}",
    )
    if (pressure is not None and pressure > PRESSED) or (throttled is not None and throttled > 0):
        return _OTHERS.answered(True, found)
    return _OTHERS.open(found) if pressure is None else _OTHERS.answered(False, found)


_PRESSURE = Text(
    "some process waited for a processor {pressure} of the time; other processes hold {others} of the GPU; slowed by "
    "heat or hardware {throttled} of the time",
    "{pressure} 的时间有进程在等 CPU；其他进程占显存 {others}；因过热或硬件降频的时间 {throttled}",
)

_BALANCE = Question(
    "balance",
    "tail",
    Text("Is the load uneven between engines?", "各引擎之间负载是否不均？"),
    Text("another balancing policy: least requests, or by prefix", "换负载均衡策略：最少请求数，或按前缀"),
    Text("the engines expose no tokens", "引擎没有暴露 token 数"),
)


def balance(evidence: Evidence) -> Checkpoint:
    tokens = evidence.figures.growth_by("llm:generation_tokens_total", "engine")
    if not tokens:
        return _BALANCE.open(NOT_THERE)
    mean = sum(tokens.values()) / len(tokens)
    if len(tokens) == 1 or not mean:
        return _BALANCE.answered(False, _ALONE)
    busiest = max(tokens, key=lambda engine: tokens[engine])
    times = tokens[busiest] / mean
    return _BALANCE.answered(times >= UNEVEN, words(_UNEVEN, engine=busiest, times=f"{times:.2f}", count=len(tokens)))


_ALONE = Text("one engine only; several targets are not compared here", "只有一个引擎；这里不比较多个服务")
_UNEVEN = Text(
    "of {count} engines number {engine} generated {times} times the mean",
    "{count} 个引擎中 {engine} 号的产出是平均的 {times} 倍",
)
