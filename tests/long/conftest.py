"""What the long tests measured, as one table at the end."""

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "practice-results.md"
HEAD = ("fault", "alert", "after", "first cause", "outcome", "over after", "restarts", "")


@pytest.fixture
def row(request: pytest.FixtureRequest) -> list[str]:
    """The cells of one fault; kept whether its test passes or not, and carried by its report from any worker."""
    cells: list[str] = []
    request.node.user_properties.append(("row", cells))
    return cells


def rows_of(reports: Iterable[pytest.TestReport]) -> list[tuple[str, ...]]:
    """The rows that the calls of the tests have filled, in the order of the faults."""
    called = (report for report in reports if report.when == "call")
    found = (tuple(cells) for report in called for name, cells in report.user_properties if name == "row")
    return sorted(cells for cells in found if cells)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    ended = (*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed"))
    rows = rows_of(report for report in ended if isinstance(report, pytest.TestReport))
    if not rows:
        return
    terminalreporter.section("what became of every fault")
    widths = [max(len(cells[n]) for cells in (HEAD, *rows)) for n in range(len(HEAD))]
    for cells in (HEAD, *rows):
        terminalreporter.write_line("  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)))
    if os.environ.get("PARAMEDIC_WRITE_RESULTS") == "1":
        PAGE.write_text(page(rows), encoding="utf-8")


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
