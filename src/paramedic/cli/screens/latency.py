"""Latency taken apart, as a picture: a bar a part, the quantiles with their buckets, the guide's checkpoints."""

from collections.abc import Iterator, Sequence

from rich.cells import cell_len

from paramedic.cli.screens.figures import ABSENT, clock, day_and_time, duration, share
from paramedic.cli.screens.layout import Line, columns, line, padded, wrapped
from paramedic.cli.screens.words import say
from paramedic.diagnosis.checkpoint import Answer, Checkpoint, bucket, seconds
from paramedic.diagnosis.latency import Latency, Normal, Spread
from paramedic.model.text import Language, Text

_PARTS: dict[str, tuple[Text, str]] = {  # word, colour of its bar
    "queue": (Text("queue", "排队"), "red"),
    "prefill": (Text("prefill", "prefill"), "yellow"),
    "decode": (Text("decode", "decode"), "green"),
    "front-end": (Text("front end", "前端"), "magenta"),
    "outside": (Text("HTTP around it", "外层 HTTP"), "dim"),
}
_END_TO_END = Text("end to end", "端到端")
_HEAD = Text(
    "{start} - {end} ({length})  {requests} requests, {prompt} tokens in, {output} out on average",
    "{start} - {end}（{length}）  {requests} 个请求，平均输入 {prompt}、输出 {output} 个 token",
)
_LAW = Text(
    "total = TTFT + tokens x TPOT = {law} (measured end to end: {whole})",
    "总时延 = TTFT + token 数 x TPOT = {law}（实测端到端：{whole}）",
)
_ROWS = (Text("", ""), Text("mean", "平均"), Text("P50", "P50"), Text("P95", "P95"), Text("P99", "P99"))
_RANGES = {
    "ttft-p50": Text("TTFT P50 below 2 s", "TTFT P50 低于 2 秒"),
    "tpot-p50": Text("TPOT P50 below 50 ms", "TPOT P50 低于 50 毫秒"),
    "e2e-p95": Text("end to end P95 below 8 s", "端到端 P95 低于 8 秒"),
}
_NORMAL: dict[Normal, tuple[Text, str]] = {
    Normal.WITHIN: (Text("yes", "是"), "green"),
    Normal.ABOVE: (Text("no", "否"), "bold red"),
    Normal.UNCLEAR: (Text("could not tell: inside the bucket", "无法判断：落在桶内"), "yellow"),
    Normal.UNKNOWN: (Text("could not tell: no figure", "无法判断：没有数据"), "yellow"),
}
_GROUPS = {
    "ttft": Text("first token (TTFT): what costs time here?", "首 token（TTFT）：这里的时间花在哪？"),
    "tpot": Text("each further token (TPOT): what costs time here?", "后续 token（TPOT）：这里的时间花在哪？"),
    "tail": Text("the slowest requests: what costs time here?", "尾部延迟：这里的时间花在哪？"),
}
_ANSWERS: dict[Answer, tuple[Text, str]] = {
    Answer.YES: (Text("YES", "是"), "bold red"),
    Answer.NO: (Text("no", "否"), "green"),
    Answer.UNKNOWN: (Text("could not tell", "无法判断"), "yellow"),
}
_NORMAL_TITLE = Text("the guide's normal range", "指南的正常范围")


def latency_lines(
    name: str, latency: Latency, answers: Sequence[Checkpoint], lang: Language, width: int, plain: bool = False
) -> Iterator[Line]:
    """The whole screen; `plain` draws bars that a pipe and grep like."""
    yield line((name, "bold"))
    yield from (line(text) for text in wrapped(_head(latency, lang), width, "  "))
    yield from _bars(latency, lang, width, plain)
    yield from _quantiles(latency, lang)
    if latency.sum_law is not None:
        whole = seconds(latency.e2e.mean) if latency.e2e else ABSENT
        yield line("  ", say(_LAW, lang).format(law=seconds(latency.sum_law), whole=whole))
    yield line("  ", (say(_NORMAL_TITLE, lang), "dim"))
    for each in latency.ranges:
        text, colour = _NORMAL[each.answer]
        yield line("    ", say(_RANGES[each.id], lang), "  ", (say(text, lang), colour), f"  {bucket(each.measured)}")
    for about, title in _GROUPS.items():
        yield line("  ", (say(title, lang), "dim"))
        for check in answers:
            if check.about == about:
                yield from _checkpoint(check, lang, width)


def _head(latency: Latency, lang: Language) -> str:
    tokens = {"prompt": latency.prompt_tokens, "output": latency.output_tokens}
    return say(_HEAD, lang).format(
        start=day_and_time(latency.start_ms * 1_000_000),
        end=clock(latency.end_ms * 1_000_000),
        length=duration((latency.end_ms - latency.start_ms) / 1000),
        requests=f"{latency.requests:,}",
        **{key: ABSENT if value is None else f"{value:,.0f}" for key, value in tokens.items()},
    )


def _bars(latency: Latency, lang: Language, width: int, plain: bool) -> Iterator[Line]:
    names = {part.id: say(_PARTS[part.id][0], lang) for part in latency.parts}
    column = max(cell_len(name) for name in (*names.values(), say(_END_TO_END, lang)))
    room = 20 if width < 100 else 36
    for part in latency.parts:
        length = round((part.share or 0.0) * room)
        bar = padded(("#" if plain else "█") * length, room)
        note = say(part.note, lang)
        head = ("  ", padded(names[part.id], column), f"{seconds(part.mean):>10} {share(part.share):>5}  ")
        yield line(*head, (bar, _PARTS[part.id][1]), "  ", (note, "dim"))
    whole = seconds(latency.e2e.mean) if latency.e2e else ABSENT
    yield line("  ", padded(say(_END_TO_END, lang), column), f"{whole:>10}")


def _quantiles(latency: Latency, lang: Language) -> Iterator[Line]:
    """One row a figure; a quantile is the bucket that it lies in, for the histogram knows no better."""
    found = {"TTFT": latency.ttft, "TPOT": latency.tpot, "ITL": latency.itl, say(_END_TO_END, lang): latency.e2e}
    found |= {say(_PARTS[part.id][0], lang): part.spread for part in latency.parts if part.spread}
    rows = [tuple(say(text, lang) for text in _ROWS), *(_row(name, spread) for name, spread in found.items())]
    widths = columns(rows)
    for number, row in enumerate(rows):
        cells = [padded(cell, width) for cell, width in zip(row, widths, strict=True)]
        yield line("  ", ("  ".join(cells).rstrip(), "dim" if number == 0 else ""))


def _row(name: str, spread: Spread | None) -> tuple[str, ...]:
    if spread is None:
        return (name, ABSENT, ABSENT, ABSENT, ABSENT)
    return (name, seconds(spread.mean), *(bucket(each) for each in (spread.p50, spread.p95, spread.p99)))


def _checkpoint(check: Checkpoint, lang: Language, width: int) -> Iterator[Line]:
    word, colour = _ANSWERS[check.answer]
    yield line("    ", say(check.question, lang), "  ", (say(word, lang), colour))
    yield from (line(text) for text in wrapped(say(check.found, lang), width, " " * 6))
    if check.answer is not Answer.NO:
        yield from (line((text, "dim")) for text in wrapped("-> " + say(check.do, lang), width, " " * 6))
