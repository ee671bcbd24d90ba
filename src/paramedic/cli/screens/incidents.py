"""The list of incidents, newest first."""

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType

from paramedic.cli.screens import figures, words
from paramedic.cli.screens.layout import Line, columns, line, padded
from paramedic.cli.screens.words import say
from paramedic.journal.views import IncidentView
from paramedic.model.finding import Verdict
from paramedic.model.text import Language, Text

_HEADER = (
    Text("INCIDENT", "事件"),
    Text("LEVEL", "级别"),
    Text("OPENED", "开始"),
    Text("LASTED", "持续"),
    Text("STATE", "状态"),
    Text("SERVER", "服务"),
    Text("CAUSE", "原因"),
)
_OPEN = Text("open", "未结束")
_HUMAN = Text("needs a human", "需人工")
_RESOLVED = Text("resolved", "已结束")
_NONE = Text("No incidents.", "没有事件。")
_UNTOLD = Text("could not tell", "无法判断")


def render(incidents: Sequence[IncidentView], now: int, lang: Language, width: int) -> RenderableType:
    shown = list(lines(incidents, now, lang))
    for one in shown:
        one.truncate(width, overflow="ellipsis")
    return Group(*shown)


def plain(incidents: Sequence[IncidentView], now: int, lang: Language) -> str:
    """For a pipe: no colours, nothing cut."""
    return "\n".join(one.plain.rstrip() for one in lines(incidents, now, lang))


def lines(incidents: Sequence[IncidentView], now: int, lang: Language) -> Iterator[Line]:
    """A header, and one line an incident."""
    if not incidents:
        yield line((say(_NONE, lang), "dim"))
        return
    header = [say(title, lang) for title in _HEADER]
    rows = [_cells(incident, now, lang) for incident in incidents]
    widths = columns([header, *rows])
    yield line(("  ".join(padded(cell, width) for cell, width in zip(header, widths, strict=True)), "dim"))
    for incident, cells in zip(incidents, rows, strict=True):
        filled = [padded(cell, width) for cell, width in zip(cells, widths, strict=True)]
        yield line(
            *((filled[0] + "  ", "bold"), (filled[1] + "  ", words.LEVEL_COLOURS[incident.level])),
            *("  ".join(filled[2:4]) + "  ", (filled[4], _colour(incident)), "  " + "  ".join(filled[5:])),
        )


def _cells(incident: IncidentView, now: int, lang: Language) -> list[str]:
    return [
        incident.id,
        incident.level.value,
        figures.day_and_time(incident.opened_at),
        figures.between(incident.opened_at, incident.resolved_at or now),
        say(_RESOLVED if not incident.open else _HUMAN if incident.human_needed else _OPEN, lang),
        incident.target,
        cause(incident, lang),
    ]


def _colour(incident: IncidentView) -> str:
    if not incident.open:
        return "green"
    return "bold red" if incident.human_needed else "yellow"


def cause(incident: IncidentView, lang: Language) -> str:
    """The first finding's title; a dash while there is no diagnosis."""
    if incident.diagnosis is None:
        return figures.ABSENT
    if incident.diagnosis.verdict is Verdict.FAULT and incident.diagnosis.findings:
        return say(incident.diagnosis.findings[0].title, lang)
    return say(_UNTOLD, lang)
