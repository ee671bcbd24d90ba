"""What the long tests measured, as one table at the end."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "practice-results.md"
HEAD = ("fault", "alert", "after", "first cause", "outcome", "over after", "restarts", "")
_rows: list[tuple[str, ...]] = []


@pytest.fixture
def row() -> Iterator[list[str]]:
    """The cells of one fault; kept whether its test passes or not."""
    cells: list[str] = []
    yield cells
    if cells:
        _rows.append(tuple(cells))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not _rows:
        return
    terminalreporter.section("what became of every fault")
    widths = [max(len(cells[n]) for cells in (HEAD, *_rows)) for n in range(len(HEAD))]
    for cells in (HEAD, *_rows):
        terminalreporter.write_line("  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)))
    if os.environ.get("PARAMEDIC_WRITE_RESULTS") == "1":
        PAGE.write_text(page(_rows), encoding="utf-8")


def page(rows: list[tuple[str, ...]]) -> str:
    """The table as a page of the documentation."""
    lines = [
        "# What becomes of every practice fault",
        "",
        "Written by `PARAMEDIC_WRITE_RESULTS=1 make test-long`: each fault of the practice engine, injected into a",
        "watched engine: the alert and the seconds until it fired, the first cause, what was done, and how often",
        "the engine was restarted for it.",
        "",
        f"| {' | '.join(HEAD[:-1])} |",
        f"|{'---|' * (len(HEAD) - 1)}",
        *(f"| {' | '.join(cells[:-1])} |" for cells in rows),
    ]
    return "\n".join(lines) + "\n"
