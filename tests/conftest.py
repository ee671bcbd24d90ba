"""What holds for every test: in CI a test that is left out has failed, and the same examples are tried each time.

Left out it may be where the machine's owner forbids what it does (mount a disk, make a network, become another user):
its reason then begins with "not permitted here".
"""

import os
from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import settings

NOT_PERMITTED = "not permitted here"
IN_CI = os.environ.get("CI") == "true"

# Two busy cores make any deadline a matter of luck; and what CI finds must be found again
settings.register_profile("paramedic", deadline=None, derandomize=IN_CI)
settings.load_profile("paramedic")


def as_failure(report: pytest.TestReport | pytest.CollectReport) -> None:
    """A skip becomes a failure that says why; an expected failure stays what it is."""
    if report.outcome != "skipped" or hasattr(report, "wasxfail"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    reason = reason.removeprefix("Skipped: ")
    if not reason.startswith(NOT_PERMITTED):
        report.outcome = "failed"
        report.longrepr = f"left out, which CI does not allow: {reason}"


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
