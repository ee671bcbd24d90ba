"""An incident told from its first sign to its end: why, what to do, what happened, who was told."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType

from paramedic.cli.screens import figures, words
from paramedic.cli.screens.diagnosis import diagnosis_lines
from paramedic.cli.screens.events import tell
from paramedic.cli.screens.layout import Line, clean, line, padded, wrapped
from paramedic.cli.screens.words import say
from paramedic.journal.codec import Entry
from paramedic.journal.events import DeliveryFinished, DeliveryTried
from paramedic.journal.views import ActionView, AlertView, DeliveryView, IncidentView, View
from paramedic.model.action import Outcome
from paramedic.model.text import Language, Text

_PIPE_WIDTH = 10_000  # a line in a pipe is never cut
_OPEN = Text("open for {}", "已持续 {}")
_LASTED = Text("resolved after {}", "{} 后结束")
_HUMAN = Text("A HUMAN IS NEEDED", "需要人工处理")
_WHAT = Text("WHAT HAPPENED", "经过")
_TOLD = Text("WHO WAS TOLD", "通知")
_UNDIAGNOSED = Text("No diagnosis was made.", "没有做过诊断。")
_WHY = Text("WHY", "原因")
_ON_ITS_WAY = Text("on its way", "发送中")
_ARRIVED = Text("accepted", "已送达")
_LOST = Text("LOST", "发送失败")
_UNKNOWN = Text("nobody knows whether it arrived", "不知道是否送达")
_ATTEMPTS = (Text("1 attempt", "1 次"), Text("{} attempts", "{} 次"))


@dataclass(frozen=True, slots=True)
class Story:
    """What is told. `entries` is never empty."""

    name: str
    entries: Sequence[Entry]
    incident: IncidentView | None
    alerts: Sequence[AlertView]
    actions: Sequence[ActionView]
    deliveries: Sequence[DeliveryView]
    now: int

    @classmethod
    def of(cls, name: str, entries: Sequence[Entry], view: View, now: int) -> "Story":
        """The story of the events that belong to `name`, with what the view knows of them."""
        mentioned = {getattr(entry.event, "incident", "") for entry in entries} - {""}
        incident = view.incidents.get(next(iter(mentioned), ""))
        alerts = incident.alerts if incident else (name,)
        return cls(
            name=name,
            entries=entries,
            incident=incident,
            alerts=[view.alerts[alert] for alert in alerts if alert in view.alerts],
            actions=[view.actions[action] for action in incident.actions] if incident else [],
            deliveries=[d for d in view.deliveries.values() if incident and d.request.incident == incident.id],
            now=now,
        )


def render(story: Story, lang: Language, width: int) -> RenderableType:
    """The story for a terminal of `width` cells."""
    shown = list(lines(story, lang, width))
    for one in shown:
        one.truncate(width, overflow="ellipsis")
    return Group(*shown)


def plain(story: Story, lang: Language) -> str:
    """For a pipe: no colours, nothing cut."""
    return "\n".join(one.plain.rstrip() for one in lines(story, lang, _PIPE_WIDTH))


def lines(story: Story, lang: Language, width: int) -> Iterator[Line]:
    yield _title(story, lang)
    incident = story.incident
    if incident and incident.open and incident.human_needed:
        yield line()
        yield line((say(_HUMAN, lang), "bold red"))
        yield from (line(text) for text in wrapped(say(incident.human_needed, lang), width, "  "))
    if incident:
        yield line()
        yield line((say(_WHY, lang), "bold yellow"))
        if incident.diagnosis:
            yield from diagnosis_lines(incident.diagnosis, lang, width)
        else:
            yield line("  ", (say(_UNDIAGNOSED, lang), "dim"))
    yield from _happened(story, lang, width)
    yield from _told(story.deliveries, lang)


def _title(story: Story, lang: Language) -> Line:
    opened = figures.day_and_time(story.entries[0].at)
    incident = story.incident
    if incident is None:
        return line((story.name, "bold"), "  ", (opened, "dim"))
    lasted = figures.between(incident.opened_at, incident.resolved_at or story.now)
    state = say(_OPEN if incident.open else _LASTED, lang).format(lasted)
    return line(
        *((incident.id, "bold"), "  ", (incident.level.value, words.LEVEL_COLOURS[incident.level])),
        *(f"  {incident.target}  ", (state, "yellow" if incident.open else "green"), "  ", (opened, "dim")),
    )


def _happened(story: Story, lang: Language, width: int) -> Iterator[Line]:
    """A time line, with the time since its first event."""
    yield line()
    yield line((say(_WHAT, lang), "bold cyan"))
    first = story.entries[0].at
    known = {story.incident.id, story.incident.target} if story.incident else set()
    for entry in story.entries:
        told = None if isinstance(entry.event, DeliveryFinished | DeliveryTried) else tell(entry.event, lang)
        if told is None:
            continue
        level, about, sentence = told
        front = f"  {figures.clock(entry.at)}  {padded(figures.after(first, entry.at), 8, right=True)}  "
        text = sentence if about in known or not about else f"{about}  {sentence}"
        head, *rest = wrapped(clean(text), width, " " * (len(front) + 3))
        yield line((front, "dim"), (padded(level, 3), words.LEVEL_COLOURS.get(level, "")), head.strip())
        yield from (line(more) for more in rest)


def _told(deliveries: Sequence[DeliveryView], lang: Language) -> Iterator[Line]:
    if not deliveries:
        return
    yield line()
    yield line((say(_TOLD, lang), "bold cyan"))
    for delivery in deliveries:
        request = delivery.request
        kind = request.occasion.partition("-ACT-")[0]
        occasion = say(words.OCCASIONS.get(kind), lang, request.occasion)
        state, colour = _arrival(delivery.outcome)
        one, many = _ATTEMPTS
        tries = say(one if delivery.attempts == 1 else many, lang).format(delivery.attempts)
        yield line(
            *("  ", (figures.clock(delivery.requested_at), "dim"), f"  {request.delivery}  {request.notifier}  "),
            *(f"{occasion}  ", (say(state, lang), colour), (f"  {tries}", "dim")),
            ("  " + delivery.detail if delivery.detail and delivery.outcome is not Outcome.DONE else "", "dim"),
        )


def _arrival(outcome: Outcome | None) -> tuple[Text, str]:
    match outcome:
        case None:
            return _ON_ITS_WAY, "yellow"
        case Outcome.DONE:
            return _ARRIVED, "green"
        case Outcome.FAILED:
            return _LOST, "bold red"
        case Outcome.UNKNOWN:
            return _UNKNOWN, "yellow"
