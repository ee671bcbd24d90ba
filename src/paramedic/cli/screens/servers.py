"""The table of servers: one line each where the width allows, else the name above its figures."""

from collections.abc import Iterator

from rich.cells import cell_len

from paramedic.cli.screens import figures, words
from paramedic.cli.screens.layout import Line, Span, columns, line, padded, shortened, wrapped
from paramedic.cli.screens.words import say
from paramedic.journal.views import Hold
from paramedic.model.target import EngineState
from paramedic.model.text import Language, Text
from paramedic.pipeline.board import Board, TargetRow

_STALE_AFTER_S = 30.0
_HAS_FIGURES = frozenset({EngineState.SERVING, EngineState.UNRESPONSIVE, EngineState.SILENT})
_HEADER = (
    Text("STATE", "状态"),
    Text("SINCE", "持续"),
    Text("TOK/S", "TOK/S"),
    Text("RUN", "运行"),
    Text("WAIT", "排队"),
    Text("KV", "KV"),
    Text("TTFT P50/P95", "TTFT P50/P95"),
    Text("ITL P50/P95", "ITL P50/P95"),
    Text("MODE", "模式"),
)
_SERVER = Text("SERVER", "服务")
_RIGHT = frozenset(range(1, 8))  # figures stand right
_HELD = Text("held by {} for {}", "{} 已接管 {}")
_HELD_UNTIL = Text(", {} left", "，还剩 {}")
_STALE = Text("figures are {} old", "数据已是 {} 前的")


def server_lines(board: Board, lang: Language, width: int) -> Iterator[Line]:
    """A header, and each server with its state and figures."""
    header = [say(title, lang) for title in _HEADER]
    rows = [_cells(row, board.at, lang) for row in board.targets]
    widths = columns([header, *rows])
    names = [cell_len(row.name) for row in board.targets]
    gap = 2 if 2 + sum(widths) + 2 * (len(widths) - 1) <= width else 1
    figures_width = sum(widths) + gap * (len(widths) - 1)
    one_line = 2 + max(names) + 2 + figures_width <= width
    name_width = max(*names, cell_len(say(_SERVER, lang))) if one_line else 0
    front = "  " + (padded(say(_SERVER, lang), name_width) + "  " if one_line else "")
    yield line((front + "".join(span[0] for span in _joined(header, widths, gap)), "dim"))
    for row, cells in zip(board.targets, rows, strict=True):
        colour = words.STATES[row.state][1]
        figures_spans = _joined(cells, widths, gap, colour)
        if one_line:
            yield line(("● ", colour), (padded(row.name, name_width), "bold"), "  ", *figures_spans)
        else:
            yield line(("● ", colour), (shortened(row.name, width - 2), "bold"))
            yield line("  ", *figures_spans)
        for note, style in _notes(row, board.at, lang):
            yield from (line((part, style)) for part in wrapped(note, width, "    "))


def _joined(cells: list[str], widths: list[int], gap: int, state_colour: str = "") -> list[Span]:
    spans: list[Span] = []
    for index, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        space = " " * gap if index else ""
        style = state_colour if index == 0 else ("dim" if cell == figures.ABSENT else "")
        spans.append((space + padded(cell, width, right=index in _RIGHT), style))
    return spans


def _cells(row: TargetRow, now: int, lang: Language) -> list[str]:
    return [
        say(words.STATES[row.state][0], lang),
        figures.between(row.since, now),
        figures.rate(row.output_tokens_per_s),
        figures.count(row.running),
        figures.count(row.waiting),
        figures.share(row.kv_cache),
        _pair(row.ttft_p50, row.ttft_p95),
        _pair(row.itl_p50, row.itl_p95),
        say(words.MODES[row.mode], lang),
    ]


def _pair(median: float | None, tail: float | None) -> str:
    if median is None and tail is None:
        return figures.ABSENT
    return f"{figures.latency(median)}/{figures.latency(tail)}"


def _notes(row: TargetRow, now: int, lang: Language) -> Iterator[Span]:
    if row.hold is not None:
        yield _held(row.hold, now, lang), "bold yellow"
    if row.stage and row.state in (EngineState.STARTING, EngineState.START_STALLED):
        yield say(words.STAGES.get(row.stage), lang, row.stage), "cyan"
    elif row.state is not EngineState.SERVING and row.reason:
        yield say(row.reason, lang), ""
    if row.unreadable:
        yield say(row.unreadable, lang), "yellow"
    if row.state in _HAS_FIGURES and row.figures_age is not None and row.figures_age > _STALE_AFTER_S:
        yield say(_STALE, lang).format(figures.duration(row.figures_age)), "yellow"


def _held(hold: Hold, now: int, lang: Language) -> str:
    shown = say(_HELD, lang).format(hold.by, figures.between(hold.since, now))
    if hold.until:
        shown += say(_HELD_UNTIL, lang).format(figures.duration((hold.until - now) / 1e9))
    return shown + (say(Text(": {}", "：{}"), lang).format(say(hold.reason, lang)) if hold.reason else "")
