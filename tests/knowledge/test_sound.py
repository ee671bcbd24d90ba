"""Our own knowledge is sound by the same measure that its authors are told of."""

from paramedic.knowledge.folder import folder_of
from paramedic.knowledge.lint import lint


def test_nothing_is_unsound() -> None:
    assert [str(problem) for problem in lint(folder_of())] == []
