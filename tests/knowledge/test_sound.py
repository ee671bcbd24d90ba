"""Our own knowledge is sound by the same measure that its authors are told of."""

from dataclasses import replace

from paramedic.knowledge.folder import NONE, folder_of
from paramedic.knowledge.lint import lint


def test_nothing_is_unsound() -> None:
    """Without the healthy logs, which have tests of their own."""
    ours = folder_of()
    shown = {path: cause for path, cause in ours.recordings.items() if cause != NONE}
    assert [str(problem) for problem in lint(replace(ours, healthy=(), recordings=shown))] == []
