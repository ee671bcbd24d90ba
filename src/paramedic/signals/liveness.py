"""Health is progress: from looks at an engine to the state that we may claim for it.

Pure: each look is judged with what the looks before it left behind. A failed look alone is nothing; a failed look
and a process that is gone is everything; a time-out is busy or hung until progress, or its absence, decides.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from paramedic.model.target import EngineState as State
from paramedic.model.text import NO_WORDS, Text, as_written

IDLE_SHARE = 0.01  # of a core, for all processes of an engine that waits


class Answer(StrEnum):
    """How an HTTP question went."""

    OK = "ok"
    DEAD = "dead"  # 503: the engine says of itself that it is dead
    REFUSED = "refused"
    TIMEOUT = "timeout"
    ODD = "odd"  # something answered, but not as an engine does


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one scrape, what tells work and progress."""

    moved: tuple[float, ...]  # everything that changes when the engine works; equal twice = nothing moved
    work: float  # requests running and waiting
    generated: float  # tokens generated in this run of the engine
    asleep: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """One look. `at` is in seconds of a clock that never goes back."""

    at: float
    health: Answer
    metrics: Answer
    figures: Figures | None = None
    server_alive: bool | None = None  # the API server's process; None: not to be seen
    reachable: bool = True  # False: nothing leads to it from our network, so nobody was asked
    core_lost: bool = False  # another process of the engine has ended
    cpu_seconds: float | None = None  # of all its processes, so far
    server_cpu_seconds: float | None = None  # of the API server alone
    log_lines: int = 0  # so far
    stage: str = ""
    stopping: bool = False  # its log says that it was told to stop, or we told it
    health_said: Text = NO_WORDS  # what was wrong with the answer, as a clause
    metrics_said: Text = NO_WORDS  # why there are no figures


@dataclass(frozen=True, slots=True)
class Limits:
    """Patience, in seconds."""

    suspicious: float = 10.0  # without progress: a canary is sent
    silent: float = 22.0  # without progress, canary failed: SILENT
    silent_first: float = 180.0  # the same before the first token of a run: kernels may compile
    unresponsive: float = 12.0  # unanswered
    idle_canary: float = 60.0
    start_stalled: float = 600.0
    compile_stalled: float = 1800.0


@dataclass(frozen=True, slots=True)
class Liveness:
    """What the looks so far left behind."""

    state: State = State.UNKNOWN
    reason: Text = NO_WORDS
    ready: bool = False  # this run has answered once
    looked_at: float = 0.0
    figures: Figures | None = None
    progress_at: float = 0.0
    active_at: float = 0.0  # while starting: log or CPU moved
    activity: tuple[int, float] = (0, 0.0)
    failures: int = 0  # looks without an answer, in a row
    failing_since: float = 0.0
    said_dead: bool = False  # among those failures was a 503
    server_cpu: tuple[float, float] = (0.0, 0.0)  # (seconds used, when that last grew)
    core_lost_at: float | None = None
    canary_at: float = 0.0  # when the last one was sent
    canary_failures: int = 0  # since progress was last seen

    @property
    def working(self) -> bool:
        return self.figures is not None and self.figures.work > 0


def begin(at: float, *, ready: bool = False) -> Liveness:
    """A run of an engine comes under our eyes."""
    state = State.UNKNOWN if ready else State.STARTING
    return Liveness(
        state=state, ready=ready, looked_at=at, progress_at=at, active_at=at, canary_at=at, server_cpu=(0.0, at)
    )


def judge(before: Liveness, look: Look, limits: Limits) -> Liveness:
    """The state after one more look."""
    now = _remember(before, look)
    state, reason = (
        _gone(now, look, limits)
        or _out_of_reach(look)
        or _unanswered(now, look, limits)
        or _answered(now, look, limits)
    )
    return replace(now, state=state, reason=reason)


def skip(before: Liveness, seconds: float) -> Liveness:
    """Paramedic itself did not look for so long: what it did not see counts for nothing."""
    return replace(
        before,
        progress_at=before.progress_at + seconds,
        active_at=before.active_at + seconds,
        failing_since=before.failing_since + seconds,
        server_cpu=(before.server_cpu[0], before.server_cpu[1] + seconds),
    )


def canary_due(now: Liveness, at: float, limits: Limits) -> float | None:
    """How long a canary may take, when one should be sent now; None otherwise."""
    if not now.ready or now.state not in (State.SERVING, State.UNRESPONSIVE, State.SILENT):
        return None
    age = at - now.progress_at
    if now.state is State.SILENT:
        return 10.0 if at - now.canary_at >= 10.0 else None
    if (now.working or now.state is State.UNRESPONSIVE) and age >= limits.suspicious:
        deadline = now.progress_at + silent_after(now, limits)
        return max(5.0, deadline - at) if at - now.canary_at >= limits.suspicious else None
    if now.state is State.SERVING and not now.working and age >= limits.idle_canary:
        return 20.0 if at - now.canary_at >= limits.idle_canary else None
    return None


def canary_sent(now: Liveness, at: float) -> Liveness:
    return replace(now, canary_at=at)


def canary_answered(now: Liveness, at: float, *, token: bool, proves_nothing: bool = False) -> Liveness:
    """A canary came back: with a token, without one, or with an answer that proves nothing either way."""
    if token:
        return replace(now, progress_at=at, canary_failures=0)
    if proves_nothing or now.progress_at > now.canary_at:
        return now
    return replace(now, canary_failures=now.canary_failures + 1)


def silent_after(now: Liveness, limits: Limits) -> float:
    """Seconds without progress that are too long for this run."""
    young = now.figures is not None and now.figures.generated == 0
    return limits.silent_first if young else limits.silent


def look_again_soon(now: Liveness) -> bool:
    """One unanswered look is nothing: look again at once, rather than wait or believe it."""
    return now.failures == 1 or (now.core_lost_at is not None and now.state not in (State.DEAD, State.STOPPED))


# What a look leaves behind


def _remember(before: Liveness, look: Look) -> Liveness:
    answered = look.health is Answer.OK or (look.metrics is Answer.OK and look.health is not Answer.DEAD)
    answered = answered or not look.reachable  # who was not asked has not failed to answer
    first_failure = not answered and before.failures == 0
    now = replace(
        before,
        looked_at=look.at,
        ready=before.ready or look.health is Answer.OK,
        failures=0 if answered else before.failures + 1,
        failing_since=look.at if first_failure else before.failing_since,
        said_dead=not answered and (before.said_dead or look.health is Answer.DEAD),
        core_lost_at=(before.core_lost_at or look.at) if look.core_lost else None,
    )
    if look.server_cpu_seconds is not None and look.server_cpu_seconds > now.server_cpu[0] + 0.05:
        now = replace(now, server_cpu=(look.server_cpu_seconds, look.at))
    now = _remember_activity(now, look)
    return _remember_progress(now, before, look)


def _remember_activity(now: Liveness, look: Look) -> Liveness:
    lines, cpu = now.activity
    used = look.cpu_seconds or 0.0
    # A rank that waits for another one in a collective spins: CPU is activity only where work is expected.
    cpu_counts = look.stage in ("", "configuring", "loading", "compiling", "capturing")
    idling = max(0.5, IDLE_SHARE * (look.at - now.active_at))  # processes that only wait wake up now and then
    if look.log_lines != lines or (cpu_counts and used > cpu + idling):
        return replace(now, activity=(look.log_lines, used), active_at=look.at)
    return now


def _remember_progress(now: Liveness, before: Liveness, look: Look) -> Liveness:
    if look.figures is None:
        return now
    seen = before.figures
    if seen is None:  # nothing to compare with: an engine that was taken over while silent stays so
        return replace(now, figures=look.figures, progress_at=look.at)
    new_run = look.figures.generated < seen.generated
    moved = new_run or look.figures.moved != seen.moved
    came_to_work = seen.work == 0 and look.figures.work > 0
    if moved or came_to_work or look.figures.asleep:
        return replace(now, figures=look.figures, progress_at=look.at, canary_failures=0)
    return replace(now, figures=look.figures)


# What a look says. Each returns (state, reason), or None to leave it to the next.

Claim = tuple[State, Text]

_NO_WAY = Text(
    "seen, but in a network of its own, and no published port leads to it: give --target http://HOST:PORT",
    "能看到进程，但它在另一个网络命名空间，也没有找到发布的端口：请用 --target http://主机:端口 指定",
)
_CORE_ENDED_EARLY = Text("a process of the engine ended before it was ready", "引擎的一个进程未就绪即退出")
_SAYS_DEAD = Text("/health answered 503: the engine says that it is dead", "/health 返回 503：引擎自报已死")
_IDLE_AND_SILENT = Text(
    "it answers nothing, uses no CPU, and the canary failed", "无任何应答，不占 CPU，探测请求也失败"
)
_UNANSWERED = {
    Answer.REFUSED: Text("refuses connections", "拒绝连接"),
    Answer.ODD: Text("gives odd answers", "应答异常"),
    Answer.TIMEOUT: Text("answers nothing", "无应答"),
}


def _gone(now: Liveness, look: Look, limits: Limits) -> Claim | None:
    """Processes first: what is gone needs no guess."""
    if look.server_alive is False:
        if look.stopping:
            return State.STOPPED, Text(
                "its API server ended after it was told to stop", "被要求停止后，API server 已退出"
            )
        if not _was_ready(now, look):
            return State.START_FAILED, Text("its API server ended before it was ready", "API server 未就绪即退出")
        return State.DEAD, Text("the API server's process has ended", "API server 进程已退出")
    if now.core_lost_at is not None:
        if look.stopping:
            return State.STOPPED, Text("its engine ended after it was told to stop", "被要求停止后，引擎已退出")
        if _was_ready(now, look):
            return State.DEAD, Text("a process of the engine has ended", "引擎的一个进程已退出")
        if look.at - now.core_lost_at > 15.0:
            return State.START_FAILED, _CORE_ENDED_EARLY
    return None


def _was_ready(now: Liveness, look: Look) -> bool:
    """Of one that is out of reach its log tells, where it can be read; without a word of it, it had been running."""
    return now.ready or (not look.reachable and look.stage in ("", "serving"))


def _out_of_reach(look: Look) -> Claim | None:
    return None if look.reachable else (State.OUT_OF_REACH, _NO_WAY)


def _unanswered(now: Liveness, look: Look, limits: Limits) -> Claim | None:
    if now.failures == 0:
        return None
    if not now.ready and look.server_alive:
        return _starting(now, look, limits)
    if now.failures == 1:
        return now.state, now.reason  # one failed look alone is nothing
    if now.said_dead and not look.stopping:
        return State.DEAD, _SAYS_DEAD
    if look.health is Answer.REFUSED and not look.server_alive:
        return State.DOWN, look.health_said or Text("nobody listens at its address", "其地址无人监听")
    if look.health is Answer.ODD and not now.ready and not look.server_alive:
        return State.DOWN, look.health_said or _UNANSWERED[Answer.ODD]  # something answers, and it is no engine
    unanswered_for = look.at - now.failing_since
    if unanswered_for < limits.unresponsive:
        return now.state, now.reason
    if _hangs_without_answer(now, look):
        return State.SILENT, _IDLE_AND_SILENT
    what = _UNANSWERED.get(look.health, _UNANSWERED[Answer.TIMEOUT])
    if look.health is Answer.ODD:
        odd = look.health_said or what
        return State.UNRESPONSIVE, Text(
            f"for {unanswered_for:.0f} s: {odd.en}", f"已 {unanswered_for:.0f} 秒：{odd.zh}"
        )
    return State.UNRESPONSIVE, Text(
        f"it {what.en} for {unanswered_for:.0f} s: busy or hung", f"{what.zh}，已 {unanswered_for:.0f} 秒：忙或卡死"
    )


def _hangs_without_answer(now: Liveness, look: Look) -> bool:
    """No answer is saturation until the API server is seen to do nothing at all for a minute."""
    idle_for = look.at - now.server_cpu[1]
    seen = look.server_cpu_seconds is not None
    return seen and idle_for >= 60.0 and now.canary_failures >= 1 and look.health is Answer.TIMEOUT


def _starting(now: Liveness, look: Look, limits: Limits) -> Claim:
    quiet = look.at - now.active_at
    patience = limits.compile_stalled if look.stage == "compiling" else limits.start_stalled
    if quiet >= patience:
        stage = as_written(look.stage) if look.stage else Text("the first log line", "首行日志之前")
        return State.START_STALLED, Text(
            f"nothing has moved for {quiet:.0f} s at {stage.en}", f"停在 {stage.zh}，已 {quiet:.0f} 秒没有进展"
        )
    return State.STARTING, as_written(look.stage)


def _answered(now: Liveness, look: Look, limits: Limits) -> Claim:
    if not now.ready:
        return State.STARTING, as_written(look.stage)
    if look.figures is not None and look.figures.asleep:
        return State.SLEEPING, Text("asleep on purpose", "主动休眠")
    age = look.at - now.progress_at
    if now.canary_failures >= 1 and now.working and age >= silent_after(now, limits):
        return State.SILENT, Text(
            f"work is present, no token moved for {age:.0f} s, and the canary failed",
            f"有请求在执行，但 {age:.0f} 秒没有新 token，探测请求也失败",
        )
    if now.canary_failures >= 2 and not now.working:
        return State.SILENT, Text(
            f"no work is shown, yet {now.canary_failures} requests for one token had no answer",
            f"看不到请求，但 {now.canary_failures} 次单 token 探测都没有应答",
        )
    if now.state is State.SILENT and now.canary_failures:
        return State.SILENT, now.reason
    if look.metrics is Answer.OK or look.health is Answer.OK:
        return State.SERVING, _answers_without_figures(look) if now.figures is None else NO_WORDS
    return now.state, now.reason


def _answers_without_figures(look: Look) -> Text:
    why = look.metrics_said
    if not why:
        return Text("it answers", "有应答")
    return Text(f"it answers, but its figures cannot be seen: {why.en}", f"有应答，但看不到指标：{why.zh}")
