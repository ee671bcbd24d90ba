"""Notifying: who must be told what, and telling them, with retries and a record of each delivery."""

from collections.abc import Sequence

from paramedic.journal.events import ActionRequested, DeliveryFinished, DeliveryRequested, DeliveryTried, Event
from paramedic.journal.plain import to_plain
from paramedic.journal.views import IncidentView, View
from paramedic.model.action import Outcome
from paramedic.model.finding import Verdict
from paramedic.model.text import Language, Text
from paramedic.pipeline.world import World
from paramedic.ports import Message, Notifier

Decision = tuple[Event, int | None]

RETRY_AFTER = (1.0, 5.0, 15.0, 60.0, 180.0)  # seconds before the second, third, ... try


def plan(view: View, notifiers: Sequence[str]) -> list[Decision]:
    """Each occasion of each incident is told once to each notifier. What the journal has, is not asked again."""
    told = {(d.request.incident, d.request.occasion, d.request.notifier) for d in view.deliveries.values()}
    decisions: list[Decision] = []
    for incident in view.incidents.values():
        for occasion, text, because in _occasions(view, incident):
            for notifier in notifiers:
                if (incident.id, occasion, notifier) not in told:
                    number = len(view.deliveries) + len(decisions) + 1
                    request = DeliveryRequested(
                        f"DLV-{number:04d}", notifier, incident.id, occasion, incident.level, text
                    )
                    decisions.append((request, because))
    return decisions


def _occasions(view: View, incident: IncidentView) -> list[tuple[str, Text, int]]:
    """(occasion, sentence, the event that led to it), in the order in which they happen."""
    found = []
    alerts = [view.alerts[a].alert for a in incident.alerts if a in view.alerts]
    if alerts:
        found.append(("opened", alerts[0].summary, incident.opened_seq))
    if incident.diagnosis is not None and incident.diagnosis.verdict is not Verdict.HEALTHY:
        found.append(("diagnosed", _cause(incident), incident.diagnosis_seq))
    for name in incident.actions:
        action = view.actions[name]
        if action.request.needs_approval:
            found.append((f"approval-{name}", _approval(action.request), action.requested_seq))
    if incident.human_needed is not None:
        found.append(("human-needed", incident.human_needed, incident.human_seq))
    if incident.resolved_at is not None:
        seconds = (incident.resolved_at - incident.opened_at) / 1e9
        text = Text(
            f"over after {seconds:.0f} s: {incident.resolved_reason.en}",
            f"{seconds:.0f} 秒后结束：{incident.resolved_reason.zh}",
        )
        found.append(("resolved", text, incident.opened_seq))
    return found


def _cause(incident: IncidentView) -> Text:
    diagnosis = incident.diagnosis
    if diagnosis is None or not diagnosis.findings:
        return Text("the cause could not be told", "原因无法判断")
    first = diagnosis.findings[0]
    cure = first.remedies[0].text if first.remedies else Text("", "")
    return Text(f"{first.title.en}. {cure.en}".strip(), f"{first.title.zh}。{cure.zh}".strip())


def _approval(request: ActionRequested) -> Text:
    name = request.action
    return Text(
        f"{request.reason.en}. To let it happen: paramedic approve {name}",
        f"{request.reason.zh}。批准执行：paramedic approve {name}",
    )


def undelivered(view: View) -> list[str]:
    """Deliveries that were asked for and have no outcome: also those that an earlier Paramedic did not finish."""
    return [name for name, delivery in view.deliveries.items() if delivery.outcome is None]


async def deliver(name: str, world: World, notifiers: dict[str, Notifier], language: Language) -> None:
    """Try until it is taken, refused for good, or the tries are spent."""
    delivery = world.view.deliveries[name]
    record = world.recorder.record
    notifier = notifiers.get(delivery.request.notifier)
    if notifier is None:
        detail = "this notifier is no longer in the configuration"
        record(DeliveryFinished(name, Outcome.FAILED, delivery.attempts, detail), delivery.requested_seq)
        return
    message = message_of(world.view, delivery.request, language)
    for attempt, pause in enumerate((*RETRY_AFTER, None), start=1):
        receipt = await notifier.deliver(message)
        if receipt.ok:
            record(DeliveryFinished(name, Outcome.DONE, attempt, receipt.detail), delivery.requested_seq)
            return
        if pause is None or not receipt.retry:
            record(DeliveryFinished(name, Outcome.FAILED, attempt, receipt.detail), delivery.requested_seq)
            return
        record(DeliveryTried(name, attempt, receipt.detail), delivery.requested_seq)
        await world.clock.sleep(pause)


def message_of(view: View, request: DeliveryRequested, language: Language) -> Message:
    """The words for people, and the same as facts for programs."""
    incident = view.incidents[request.incident]
    alerts = [to_plain(view.alerts[a].alert) for a in incident.alerts if a in view.alerts]
    return Message(
        delivery=request.delivery,
        incident=request.incident,
        target=incident.target,
        occasion=request.occasion.split("-ACT", 1)[0],
        level=request.level.value,
        title=f"[{request.level.value}] {incident.target} {request.incident}",
        body=request.text.in_language(language),
        facts={
            "text": to_plain(request.text),
            "alerts": alerts,
            "diagnosis": to_plain(incident.diagnosis) if incident.diagnosis else None,
            "opened_at": incident.opened_at,
            "resolved_at": incident.resolved_at,
        },
    )
