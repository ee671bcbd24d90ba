"""What holds for every test: in CI a test that is left out has failed, and the same examples are tried each time."""

import os
from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import settings

IN_CI = os.environ.get("CI") == "true"

# Two busy cores make any deadline a matter of luck; and what CI finds must be found again
settings.register_profile("paramedic", deadline=None, derandomize=IN_CI)
settings.load_profile("paramedic")


def as_failure(report: pytest.TestReport | pytest.CollectReport) -> None:
    """A skip becomes a failure that says why; an expected failure stays what it is."""
    if report.outcome == "skipped" and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"left out, which CI does not allow: {reason.removeprefix('Skipped: ')}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, Any, Any]:
    report = yield
    if IN_CI:
        as_failure(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, Any, Any]:
    report = yield
    if IN_CI:
        as_failure(report)
    return report
