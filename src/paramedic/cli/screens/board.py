"""The live view: servers, what needs a person, what fires and what Paramedic is doing, at one glance."""

from collections.abc import Iterator

from rich.cells import cell_len
from rich.console import Group

from paramedic.cli.screens import figures, words
from paramedic.cli.screens.layout import Line, Span, line, line_and_rest, wrapped
from paramedic.cli.screens.servers import server_lines
from paramedic.cli.screens.words import say
from paramedic.model.target import EngineState
from paramedic.model.text import Language, Text
from paramedic.pipeline.board import ActionRow, AlertRow, Board

_NO_SERVERS = Text(
    "No servers yet. Looking for vLLM on this machine; name others with --target http://HOST:PORT.",
    "还没有服务。正在本机查找 vLLM；其他服务用 --target http://主机:端口 指定。",
)
_NEVER_SEEN = Text("No server has ever been watched here.", "这里还没有看护过任何服务。")
_NOBODY = Text(
    "Nobody is watching now: these are the last things known. Start `paramedic watch`.",
    "现在无人看护：以下是最后已知的情况。请启动 `paramedic watch`。",
)
_LATE = Text(
    "Paramedic itself was late by {}: nothing was judged in that time.",
    "Paramedic 自己晚了 {}：这段时间没有做判断。",
)
_QUIET = Text("Nothing fires.", "没有告警。")
_UNJUDGED = Text("Not judged yet.", "尚未判断。")
_HUMAN = Text("A HUMAN IS NEEDED", "需要人工处理")
_ALERTS = Text("ALERTS", "告警")
_DOING = Text("PARAMEDIC'S ACTIONS", "Paramedic 的动作")
_OWN = Text("TROUBLE OF PARAMEDIC ITSELF", "Paramedic 自身的问题")
_LEFT = Text("{} to the objective", "距恢复目标 {}")
_OVER = Text("{} past the objective", "已超恢复目标 {}")
_CAUSE = Text("cause: {}", "原因：{}")
_NO_CAUSE = Text("not known yet", "尚未确定")
_APPROVE = Text(
    "paramedic approve {0}   or   paramedic reject {0}", "paramedic approve {0}   或   paramedic reject {0}"
)
_MORE = Text("and {} more", "另有 {} 条")
_WATCHING = (Text("1 server", "1 个服务"), Text("{} servers", "{} 个服务"))
_FAILURES_SHOWN = 3
_PIPE_WIDTH = 10_000  # a line in a pipe is never cut


def render(board: Board, lang: Language, width: int) -> Group:
    """The board for a terminal of `width` cells."""
    shown = list(lines(board, lang, width))
    for one in shown:
        one.truncate(width, overflow="ellipsis")
    return Group(*shown)


def plain(board: Board, lang: Language) -> str:
    """The board for a pipe: no colours, no boxes, nothing cut."""
    return "\n".join(one.plain.rstrip() for one in lines(board, lang, _PIPE_WIDTH))


def lines(board: Board, lang: Language, width: int) -> Iterator[Line]:
    """Every line of the board, the most urgent first."""
    yield _title(board, lang, width)
    if board.daemon_pid is None:
        yield from _notice(say(_NOBODY, lang), "yellow", width)
    if board.late > 0:
        yield from _notice(say(_LATE, lang).format(figures.duration(board.late)), "yellow", width)
    yield from _human(board, lang, width)
    yield line()
    if board.targets:
        yield from server_lines(board, lang, width)
    else:
        yield from _notice(say(_NO_SERVERS if board.daemon_pid is not None else _NEVER_SEEN, lang), "dim", width)
    yield from _alerts(board, lang, width)
    yield from _actions(board, lang, width)
    yield from _failures(board, lang)


def _title(board: Board, lang: Language, width: int) -> Line:
    one, many = _WATCHING
    counted = say(one if len(board.targets) == 1 else many, lang).format(len(board.targets))
    left = f"Paramedic {board.version}"
    right = figures.day_and_time(board.at)
    gap = width - cell_len(left + right + counted) - 3 if width < _PIPE_WIDTH else 3
    return line((left, "bold"), (" · ", "dim"), counted, " " * max(3, gap), (right, "dim"))


def _notice(text: str, style: str, width: int) -> Iterator[Line]:
    return (line((part, style)) for part in wrapped(text, width, ""))


def _heading(words_: Text, lang: Language, colour: str) -> Iterator[Line]:
    yield line()
    yield line((say(words_, lang), f"bold {colour}"))


def _human(board: Board, lang: Language, width: int) -> Iterator[Line]:
    if not board.needs_human:
        return
    yield from _heading(_HUMAN, lang, "red")
    for incident, why in board.needs_human:
        first, *rest = wrapped(say(why, lang), width, " " * (len(incident) + 4))
        yield line("  ", (incident, "bold"), "  ", first.lstrip())
        yield from (line(more) for more in rest)
        yield line(" " * (len(incident) + 4), (f"paramedic explain {incident}", "dim"))


def _alerts(board: Board, lang: Language, width: int) -> Iterator[Line]:
    if not board.alerts:
        if board.targets and board.daemon_pid is not None:
            judged = any(row.state not in (EngineState.UNKNOWN, EngineState.OUT_OF_REACH) for row in board.targets)
            yield line()
            yield line((say(_QUIET, lang), "green") if judged else (say(_UNJUDGED, lang), "dim"))
        return
    yield from _heading(_ALERTS, lang, "yellow")
    for alert in board.alerts:
        yield from _alert(alert, board.at, lang, width)


def _alert(alert: AlertRow, now: int, lang: Language, width: int) -> Iterator[Line]:
    late = now > alert.due
    objective = say(_OVER if late else _LEFT, lang).format(figures.duration(abs(alert.due - now) / 1e9))
    level: Span = (alert.level, words.LEVEL_COLOURS.get(alert.level, "bold"))
    age = figures.between(alert.since, now)
    head = ("  ", level, "  ", (alert.rule, "bold"), f"  {alert.target}  {age}")
    rest: tuple[Span, ...] = ((objective, "bold red" if late else "dim"), ("  " + (alert.incident or alert.id), "dim"))
    yield from line_and_rest(width, " " * 6, head, rest)
    yield from (line(text) for text in wrapped(say(alert.summary, lang), width, " " * 6))
    cause = say(_CAUSE, lang).format(say(alert.cause, lang, say(_NO_CAUSE, lang)))
    yield from (line((text, "" if alert.cause else "dim")) for text in wrapped(cause, width, " " * 6))


def _actions(board: Board, lang: Language, width: int) -> Iterator[Line]:
    if not board.actions:
        return
    yield from _heading(_DOING, lang, "cyan")
    for action in board.actions:
        yield from _action(action, board.at, lang, width)


def _action(action: ActionRow, now: int, lang: Language, width: int) -> Iterator[Line]:
    status, colour = words.STATUSES.get(action.status, (None, "bold"))
    kind = say(words.ACTIONS.get(action.kind), lang, action.kind)
    age = figures.between(action.since, now)
    shown_status: Span = (say(status, lang, action.status), colour)
    head = ("  ", (action.id, "bold"), f"  {kind} {action.target}  ", shown_status, f" {age}")
    reached = say(words.STEPS.get(action.step), lang, action.step) if action.status == "running" else ""
    yield from line_and_rest(width, " " * 6, head, (reached,))
    for text in (say(action.reason, lang), say(action.detail, lang)):
        if text:
            yield from (line((part, "dim")) for part in wrapped(text, width, " " * 6))
    if action.status == "waiting-for-approval":
        yield line(" " * 6, (say(_APPROVE, lang).format(action.id), "bold"))


def _failures(board: Board, lang: Language) -> Iterator[Line]:
    if not board.failures:
        return
    yield from _heading(_OWN, lang, "magenta")
    latest = sorted(board.failures, key=lambda failure: -failure[1])
    for work, at, error in latest[:_FAILURES_SHOWN]:
        yield line("  ", (figures.clock(at), "dim"), f"  {work}: {error}")
    if (hidden := len(latest) - _FAILURES_SHOWN) > 0:
        yield line("  ", (say(_MORE, lang).format(hidden), "dim"))
