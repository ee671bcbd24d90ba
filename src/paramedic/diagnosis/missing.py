"""What would have been needed to tell, where no fault is recognised and yet all is not well."""

import re
from collections.abc import Sequence

from paramedic.diagnosis.match import evidence_at
from paramedic.diagnosis.reading import Run, errors
from paramedic.diagnosis.record import read_record
from paramedic.diagnosis.scene import Scene
from paramedic.model.target import EngineState
from paramedic.model.text import Text

LOOKED_AT = 300  # lines at either end
SERVED = re.compile(r'"(?:GET|POST) /(?:v1/|health|metrics|ping|load|version)[^"]* HTTP/1')
WELL = {EngineState.SERVING, EngineState.STARTING, EngineState.SLEEPING, EngineState.STOPPED}
NO_LOG = Text(
    "The engine's log. Give the file that it writes, or what `docker logs`, `kubectl logs` or `journalctl -u` prints.",
    "缺少引擎日志。请提供它写的日志文件，或 `docker logs`、`kubectl logs`、`journalctl -u` 的输出。",
)
EMPTY = Text(
    "{name} is empty: nothing was written to it. The engine may log elsewhere (stderr, journald, the container).",
    "{name} 是空的，没有写入任何内容。引擎可能把日志写到了别处（stderr、journald 或容器日志）。",
)
BLANK = Text(
    "{name} holds no text, only blanks or zeros: it may have been emptied while it was written. Is there a rotated one "
    "beside it?",
    "{name} 里没有文字，只有空白或零字节，可能在写入过程中被清空。旁边是否有轮转后的日志？",
)
NOT_AN_ENGINE = Text(
    "{name} has no line of an inference engine that we know. Is it the engine's own log, from its start on?",
    "{name} 里没有任何可识别的推理引擎日志行。请确认这是引擎自己的日志，并且从启动时开始。",
)
UNKNOWN_ERROR = Text(
    "The error at {place} is not one we know: {what}. What the same log says before it, and the engine's "
    "version, would help.",
    "{place} 处的错误不在已知故障库中：{what}。请结合它之前的日志和引擎版本判断。",
)
NO_ROOT = Text(
    "The engine's first error. {place} only reports that it failed; the cause stands above it or in another "
    "process's log. Give the whole log, from the start, and the log of every worker or node.",
    "缺少引擎最初的报错。{place} 只是说明启动失败，真正原因在它上面或在别的进程日志里。"
    "请提供从启动开始的完整日志，以及每个 worker 或节点的日志。",
)
NOT_EXPLAINED = Text(
    "Why the engine is {state}: neither its log nor its exit tells. The kernel log (`dmesg`, `journalctl -k`) and the "
    "supervisor's log may.",
    "无法判断引擎为何处于 {state} 状态：日志和退出信息都没有说明。"
    "可查看内核日志（`dmesg`、`journalctl -k`）和进程管理器的日志。",
)


def what_is_missing(scene: Scene, runs: Sequence[Run]) -> tuple[Text, ...]:
    """Empty where all is well: the engine works, is still starting, or was stopped in good order."""
    found: list[Text] = []
    for run in runs:
        found += _of_run(run, scene)
    if scene.state is not None and scene.state not in WELL and not scene.by_person and not found:
        found.append(_filled(NOT_EXPLAINED, state=str(scene.state)))
        if not runs:
            found.append(NO_LOG)
    if scene.state is None and not runs:
        found.append(NO_LOG)
    some_engine = any(_is_engine(run) for run in runs)
    return tuple(text for text in found if not (some_engine and _only_says_foreign(text, runs)))


def _of_run(run: Run, scene: Scene) -> list[Text]:
    if not any(line.strip() for line in run.log.lines):
        return [_filled(BLANK if run.log.lines else EMPTY, name=run.log.name)]
    fell = run.fallout and not _answers_after(run, run.fallout[-1].index)
    if fell or not (run.was_ready or (not run.stages and _has_served(run))):
        first = next(errors(run), None)
        unknown = _unknown_error(run)
        if unknown is not None:
            at = evidence_at(run.log, unknown)
            return [_filled(UNKNOWN_ERROR, place=f"{at.file}:{at.line}", what=at.text[-300:])]
        if first is not None or run.fallout:
            at = evidence_at(run.log, first[0] if first else run.fallout[0].index)
            return [_filled(NO_ROOT, place=f"{at.file}:{at.line}")]
    if not _is_engine(run) and scene.state is None:
        return [_filled(NOT_AN_ENGINE, name=run.log.name)]
    return []


def _has_served(run: Run) -> bool:
    """Whether a log that begins later than its start shows answered requests."""
    return any('" 200' in raw and SERVED.search(raw) for raw in run.log.lines[run.first : run.last + 1])


def _answers_after(run: Run, index: int) -> bool:
    """Whether it went on to do work: what then failed was one call, not the engine."""
    return any('"POST /v1/' in raw and '" 200' in raw for raw in run.log.lines[index + 1 : run.last + 1])


def _is_engine(run: Run) -> bool:
    """Whether its first or last lines are an inference server's: a process tag, a logger's prefix, a request."""
    first = run.log.lines[run.first : run.first + LOOKED_AT]
    last = run.log.lines[max(0, run.last - LOOKED_AT) : run.last + 1]
    for raw in (*first, *last):
        record = read_record(raw)
        if record.role is not None or (record.level and record.seconds is not None) or SERVED.search(record.text):
            return True
    return bool(run.stages or run.hits)


def _unknown_error(run: Run) -> int | None:
    """The first exception that is not itself fallout."""
    fallout = {hit.index for hit in run.fallout}
    return next((index for index, _ in errors(run) if index not in fallout), None)


def _only_says_foreign(text: Text, runs: Sequence[Run]) -> bool:
    """Beside a log that we can read, a foreign file is no reason to give up."""
    return any(text == _filled(NOT_AN_ENGINE, name=run.log.name) for run in runs)


def _filled(text: Text, **fields: str) -> Text:
    return Text(text.en.format(**fields), text.zh.format(**fields))
