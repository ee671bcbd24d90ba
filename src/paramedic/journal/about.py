"""Which server an event is about, whatever it names: a server, an alert, an incident, an action, a delivery."""

from paramedic.journal import events as e
from paramedic.journal.views import View


def target_of(event: e.Event, view: View) -> str:
    """The server's name, with what the view knows of the names in the event; "" where it is about none."""
    match event:
        case e.TargetAdded():
            return event.target.name
        case e.AlertFired():
            return event.alert.target
        case e.AlertResolved():
            alert = view.alerts.get(event.alert)
            return alert.alert.target if alert else ""
    if name := getattr(event, "target", ""):
        return str(name)
    if action := view.actions.get(getattr(event, "action", "")):
        return action.request.target
    incident = getattr(event, "incident", "")
    if delivery := view.deliveries.get(getattr(event, "delivery", "")):
        incident = delivery.request.incident
    known = view.incidents.get(incident)
    return known.target if known else ""
