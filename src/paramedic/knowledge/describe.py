"""How a fault shows itself, in words: the same for the screen and for the pages of the documentation."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from paramedic.diagnosis.conditions import Comparison
from paramedic.diagnosis.pattern import Fault, MetricsSight, Sight, StatsSight
from paramedic.diagnosis.template import Template
from paramedic.model.finding import Restart
from paramedic.model.text import Text

RESTARTS = {
    Restart.CURES: Text("a restart as it was cures it", "原样重启即可恢复"),
    Restart.USELESS: Text("a restart fails the same way", "重启后会同样失败"),
    Restart.UNNEEDED: Text("a restart would only hurt", "无需重启"),
}
_LOG = Text("the log says", "日志中出现")
_UNLESS = Text("but not in one line with", "但同一行没有")
_STAGES = Text("while the engine is", "引擎处于")
_ROLES = Text("and it is said by", "由以下进程输出")
_AFTER = Text("after", "之前出现过")
_NUMBERS = Text("with", "且")
_ENDED = Text("and not within {seconds:g} s followed by", "且 {seconds:g} 秒内没有出现")
_STATS = Text("the periodic lines show", "周期性统计行显示")
_SILENCE = Text("and then nothing more is said", "之后再无输出")
_FALLS = Text("from {start:g} this falls by {by:g}", "从 {start:g} 下降 {by:g}")
_ARGUMENTS = Text("the engine runs with", "引擎参数为")
_STATES = Text("the server is", "服务状态为")
_EXITS = Text("a process ended", "进程已结束")
_ORPHANS = Text("processes of the engine live on without it", "引擎已退出但仍有残留进程")
_METRICS = Text("the metrics show", "指标显示")
_FOR = Text("for {seconds:g} s", "持续 {seconds:g} 秒")
_ADVICE = Text("seen this way it costs something and breaks nothing", "这种情况有代价，但不是故障")


@dataclass(frozen=True, slots=True)
class Clue:
    """One thing that must hold: what it is about, and what is quoted as its author wrote it."""

    about: Text
    quoted: str = ""


def clues(sight: Sight) -> Iterator[Clue]:
    """What must hold for one sight, all of it."""
    yield from _quoted(_LOG, sight.log)
    yield from _quoted(_UNLESS, sight.unless)
    yield from _listed(_STAGES, sight.stages)
    yield from _listed(_ROLES, sight.roles)
    yield from _quoted(_AFTER, sight.after)
    yield from _compared(_NUMBERS, sight.numbers)
    yield from _quoted(_with(_ENDED, seconds=sight.within), sight.ended_by)
    if sight.stats:
        yield from _stats(sight.stats)
    yield from _compared(_ARGUMENTS, sight.arguments)
    yield from _listed(_STATES, sight.states)
    yield from _listed(_EXITS, (end.role for end in sight.exits))
    if sight.orphans:
        yield Clue(_ORPHANS)
    if sight.metrics:
        yield from _metrics(sight.metrics)
    if sight.advice:
        yield Clue(_ADVICE)


def _stats(stats: StatsSight) -> Iterator[Clue]:
    yield from _compared(_STATS, stats.conditions)
    if stats.falls:
        yield Clue(_with(_FALLS, start=stats.falls_from, by=stats.falls_by), f"`{stats.falls}`")
    if stats.then_silence:
        yield Clue(_SILENCE)


def _metrics(metrics: MetricsSight) -> Iterator[Clue]:
    yield from _listed(_METRICS, (f"`{metrics.as_written(each)}`" for each in metrics.decisive()))
    if metrics.seconds:
        yield Clue(_with(_FOR, seconds=metrics.seconds))


def _quoted(about: Text, templates: Iterable[Template]) -> Iterator[Clue]:
    yield from _listed(about, (f"`{template.text}`" for template in templates))


def _compared(about: Text, comparisons: Iterable[Comparison]) -> Iterator[Clue]:
    yield from _listed(about, (f"`{each.name} {each.operator} {_plain(each.other)}`" for each in comparisons))


def _listed(about: Text, items: Iterable[object]) -> Iterator[Clue]:
    if listed := ", ".join(str(item) for item in items):
        yield Clue(about, listed)


def _plain(value: float | str | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else value


def _with(text: Text, **values: float) -> Text:
    return Text(text.en.format(**values), text.zh.format(**values))


def cures(fault: Fault) -> tuple[str, ...]:
    """The remedies of a fault, also those that the number in its message chooses; each once."""
    rows = fault.table.rows.values() if fault.table else ()
    chosen = [name for row in rows if not row.harmless and row.fault in {"", fault.id} for name in row.remedies]
    return tuple(dict.fromkeys([*fault.remedies, *chosen]))
