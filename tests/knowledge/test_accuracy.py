"""How often the first cause is right, by where a log comes from, and whether a confidence means what it says.

PARAMEDIC_WRITE_ACCURACY=1 writes the figures to docs/reference/accuracy.md. The held-out logs were written by people
who had not seen the patterns; some were looked at since, so the figures say what is known, not what is to come.
"""

import functools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from paramedic.diagnosis.diagnose import diagnose
from paramedic.diagnosis.scene import Scene
from paramedic.knowledge.catalogue import load_catalogue
from tests.knowledge.scenes import RECORDINGS, log_of

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "accuracy.md"
HELD_OUT = Path(__file__).parent / "held_out"
NONE = "none"
pytestmark = pytest.mark.timeout(900)  # all logs are read for the first test
FEW = 15  # cases in a bucket that say nothing of a share
BUCKETS = (0.0, 0.7, 0.8, 0.9, 0.94, 1.01)
KINDS = {
    "run": "a real run",
    "raised": "the engine's own raise or log statement",
    "report": "the wording of a public report",
}


@dataclass(frozen=True, slots=True)
class Case:
    """One log, what is right to say of it, and what was said: causes in order, and the confidence of the first."""

    kind: str
    right: frozenset[str]
    said: tuple[str, ...]
    confidence: float

    @property
    def benign(self) -> bool:
        return not self.right

    def among(self, first: int) -> bool:
        return any(cause in self.right for cause in self.said[:first])


@functools.cache
def cases() -> tuple[Case, ...]:
    found = [
        _case(folder / name, row, str(row.get("kind", "report")))
        for folder in sorted(HELD_OUT.iterdir())
        if (folder / "index.yaml").exists()
        for name, row in yaml.safe_load((folder / "index.yaml").read_text("utf-8")).items()
    ]
    recorded = yaml.safe_load((RECORDINGS / "expected.yaml").read_text("utf-8"))
    found += [_case(RECORDINGS / "logs" / f"{name}.log", row, "run") for name, row in recorded.items()]
    return tuple(found)


def _case(path: Path, row: dict[str, Any], kind: str) -> Case:
    answer = diagnose(Scene((log_of(path),)), load_catalogue())
    advice = [finding.cause for finding in answer.advice]
    cause = row["cause"] or NONE
    right = frozenset() if cause == NONE else frozenset({cause, *row.get("also", ())})
    said = [finding.cause for finding in answer.findings]
    if right & set(advice) and not said:
        said = advice  # a choice that costs something is told as advice
    confidence = answer.findings[0].confidence if answer.findings else 0.0
    return Case(kind, right, tuple(said), confidence)


@pytest.mark.parametrize("kind", KINDS)
def test_first_cause_is_mostly_right(kind: str) -> None:
    faults = [case for case in cases() if case.kind == kind and not case.benign]
    assert sum(case.among(1) for case in faults) >= 0.85 * len(faults)


def test_confidence_means_what_it_says() -> None:
    """Where many have a confidence, so many of them are right, and little less."""
    for low, high in pairwise(BUCKETS):
        told = _told(low, high)
        if len(told) >= FEW:
            assert sum(case.among(1) for case in told) / len(told) >= low - 0.1


def test_page_says_so() -> None:
    if os.environ.get("PARAMEDIC_WRITE_ACCURACY"):
        PAGE.write_text("\n".join(_page(cases())) + "\n", "utf-8")
    page = PAGE.read_text("utf-8")
    assert all(f"| {kind}:" in page for kind in KINDS)


def _told(low: float, high: float) -> list[Case]:
    return [case for case in cases() if case.confidence and low <= case.confidence < high]


def _page(all_cases: Sequence[Case]) -> list[str]:
    lines = [
        "# Accuracy",
        "",
        "<!-- Written by tests/knowledge/test_accuracy.py: PARAMEDIC_WRITE_ACCURACY=1. -->",
        "",
        "Logs beside the patterns: held out by people who had not seen them, and recorded from real engines.",
        "A cause counts when it, or one that the log cannot tell from it, is named first, or among the first three.",
        "Patterns were mended by the held-out logs since; what they gave before is in tests/knowledge/held_out.",
        "",
        "| where the log comes from | logs | first | among three |",
        "|---|---|---|---|",
    ]
    for kind, words in KINDS.items():
        faults = [case for case in all_cases if case.kind == kind and not case.benign]
        lines.append(f"| {kind}: {words} | {len(faults)} | {_share(faults, 1)} | {_share(faults, 3)} |")
    benign = [case for case in all_cases if case.benign]
    lines += [
        "",
        f"Of {len(benign)} logs in which nothing is wrong, {sum(bool(case.said) for case in benign)} raised an alarm.",
        "",
        "## What a confidence is worth",
        "",
        "Of the answers whose first cause has this confidence, so many are right. Logs without a fault are among them.",
        "",
        "| confidence | answers | right |",
        "|---|---|---|",
    ]
    for low, high in pairwise(BUCKETS):
        if told := _told(low, high):
            lines.append(f"| {low:.2f} to {min(high, 1.0):.2f} | {len(told)} | {_share(told, 1)} |")
    return lines


def _share(some: Sequence[Case], first: int) -> str:
    if not some:
        return "-"
    right = sum(case.among(first) for case in some)
    return f"{right} ({right / len(some):.0%})"
