"""The engine's periodic line of numbers, and what a sequence of them shows."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from paramedic.diagnosis.conditions import Value
from paramedic.diagnosis.pattern import StatsSight

SILENCE = 30.0  # seconds; the line comes every 10 s while tokens move
LABELS = {  # as every version writes them, without the letter whose case differs
    "rompt throughput": "prompt_tps",
    "eneration throughput": "generation_tps",
    "Running": "running",
    "Waiting": "waiting",
    "Pending": "waiting",
    "KV cache usage": "kv_usage",
    "Prefix cache hit rate": "hit_rate",
    "Preemptions": "preemptions",
}
NUMBERS = tuple(dict.fromkeys(LABELS.values()))
NUMBER = re.compile(rf"({'|'.join(LABELS)}): (?:GPU: )?(\d+(?:\.\d+)?)")
ENGINE = re.compile(r"Engine (\d+):")


@dataclass(frozen=True, slots=True)
class StatsLine:
    """One such line: where it stands, when it was written (seconds, or None), what it says."""

    index: int
    engine: str
    seconds: float | None
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class StatsShow:
    """The lines that showed a sight, first and last, and the extreme values among them."""

    first: int
    last: int
    fields: Mapping[str, str]


def read_stats(index: int, text: str, seconds: float | None) -> StatsLine | None:
    """Read a stats line of any vLLM version, or None when this is none."""
    values: dict[str, Value] = {}
    for label, number in NUMBER.findall(text):
        values.setdefault(LABELS[label], float(number))  # the GPU's usage stands before the CPU's
    if "generation_tps" not in values or "running" not in values:
        return None
    engine = ENGINE.search(text)
    return StatsLine(index, engine[1] if engine else "", seconds, values)


def find(sight: StatsSight, lines: Sequence[StatsLine], arguments: Mapping[str, Value], last: int) -> StatsShow | None:
    """Whether the lines show this; `last` is the index of the last line of the log. Each engine is judged alone."""
    for engine in sorted({line.engine for line in lines}):
        series = [line for line in lines if line.engine == engine]
        found = _fall(sight, series) if sight.falls else _stretch(sight, series, arguments, last)
        if found:
            return found
    return None


def _stretch(
    sight: StatsSight, series: Sequence[StatsLine], arguments: Mapping[str, Value], last: int
) -> StatsShow | None:
    stretch: list[StatsLine] = []
    for position, line in enumerate(series):
        if not _holds(sight, line, arguments):
            stretch = []
            continue
        stretch.append(line)
        following = series[position + 1] if position + 1 < len(series) else None
        long_enough = len(stretch) >= sight.lines and _span(stretch) >= sight.seconds
        if long_enough and (not sight.then_silence or _silent(line, following, last)):
            return _show(_longest(sight, series, position, stretch, arguments))
    return None


def _holds(sight: StatsSight, line: StatsLine, arguments: Mapping[str, Value]) -> bool:
    """Whether a line satisfies all conditions; what it says itself is looked at first, as most lines fail there."""
    for condition in sight.conditions:
        is_own = condition.name in line.values and not isinstance(condition.other, str)
        if not condition.holds(line.values if is_own else {**arguments, **line.values}):
            return False
    return True


def _longest(
    sight: StatsSight,
    series: Sequence[StatsLine],
    position: int,
    stretch: list[StatsLine],
    arguments: Mapping[str, Value],
) -> list[StatsLine]:
    """Let the stretch run on as far as it holds, so that the evidence names its end."""
    whole = list(stretch)
    for line in series[position + 1 :]:
        if not _holds(sight, line, arguments):
            break
        whole.append(line)
    return whole


def _silent(line: StatsLine, following: StatsLine | None, last: int) -> bool:
    if following is None:
        return last > line.index  # something was written after it, but no more numbers
    if line.seconds is None or following.seconds is None:
        return False
    return following.seconds - line.seconds >= SILENCE


def _fall(sight: StatsSight, series: Sequence[StatsLine]) -> StatsShow | None:
    """A value that was high for two lines and then fell, while the engine had to compute far more prompt tokens."""
    high: list[StatsLine] = []
    for line in series:
        value = line.values.get(sight.falls)
        if not isinstance(value, float):
            continue
        peak = max((float(other.values[sight.falls]) for other in high), default=value)
        if value >= max(sight.falls_from, peak - sight.falls_by / 2):
            high.append(line)
            continue
        if len(high) < 2 or not float(line.values["generation_tps"]):
            continue
        if peak - value >= sight.falls_by and _computes_more(high, line):
            fields = {"before": f"{peak:.1f}", "after": f"{value:.1f}"}
            return StatsShow(high[-1].index, line.index, fields)
    return None


def _computes_more(high: Sequence[StatsLine], line: StatsLine) -> bool:
    usual = max(float(other.values.get("prompt_tps", 0.0)) for other in high)
    return float(line.values.get("prompt_tps", 0.0)) >= 2 * usual


def _span(lines: Sequence[StatsLine]) -> float:
    """Seconds between the first and the last; ten a line where the engine wrote no time."""
    first, last = lines[0].seconds, lines[-1].seconds
    if first is None or last is None:
        return 10.0 * (len(lines) - 1)
    return last - first


def _show(stretch: Sequence[StatsLine]) -> StatsShow:
    fields = {"stats_lines": str(len(stretch)), "stats_seconds": f"{_span(stretch):.0f}"}
    for name in ("running", "waiting", "kv_usage"):
        values = [float(line.values[name]) for line in stretch if name in line.values]
        if values:
            fields[f"{name}_max"] = f"{max(values):g}"
            fields[f"{name}_last"] = f"{values[-1]:g}"
    return StatsShow(stretch[0].index, stretch[-1].index, fields)
