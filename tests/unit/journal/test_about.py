"""Every event of a night says which server it is about, or is about none."""

from paramedic.journal import events as e
from paramedic.journal.about import target_of
from paramedic.journal.codec import UnknownEvent
from paramedic.journal.fold import apply
from paramedic.journal.views import View
from tests.fakes.night import EMBED, QWEN, waits_for_a_person

ABOUT_NONE = (e.DaemonStarted, e.DaemonStopped, e.DaemonWasLate, e.WorkFailed)


def test_each_event_of_a_night_is_about_a_server_or_about_paramedic() -> None:
    view = View()
    found = set()
    for entry in waits_for_a_person():
        apply(view, entry)
        target = target_of(entry.event, view)
        assert (target == "") == isinstance(entry.event, ABOUT_NONE), entry
        found.add((type(entry.event), target))
    for kind in (e.AlertFired, e.IncidentOpened, e.DiagnosisMade, e.ActionStarted, e.ActionFinished):
        assert (kind, QWEN.name) in found
    assert (e.HumanNeeded, EMBED.name) in found


def test_names_that_nobody_knows_are_about_none() -> None:
    for event in (e.AlertResolved("x"), e.ActionStarted("x"), e.HumanNeeded("x", None), UnknownEvent("New", "{}")):  # type: ignore[arg-type]
        assert target_of(event, View()) == ""
