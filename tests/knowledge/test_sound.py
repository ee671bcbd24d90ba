"""Our own knowledge is sound by the same measure that its authors are told of."""

from dataclasses import replace

from paramedic.knowledge.catalogue import load_catalogue
from paramedic.knowledge.describe import clues
from paramedic.knowledge.folder import NONE, folder_of
from paramedic.knowledge.lint import lint


def test_nothing_is_unsound() -> None:
    """Without the healthy logs, which have tests of their own."""
    ours = folder_of()
    shown = {path: cause for path, cause in ours.recordings.items() if cause != NONE}
    assert [str(problem) for problem in lint(replace(ours, healthy=(), recordings=shown))] == []


def test_every_way_in_which_a_fault_shows_can_be_told() -> None:
    untold = [fault.id for fault in load_catalogue().faults for sight in fault.sights if not list(clues(sight))]
    assert untold == []
