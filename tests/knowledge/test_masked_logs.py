"""A log without its secrets tells the same as the log itself."""

from pathlib import Path

import pytest

from paramedic.diagnosis.diagnose import diagnose
from paramedic.diagnosis.masking import Mask
from paramedic.diagnosis.scene import Log, Scene
from paramedic.knowledge.catalogue import load_catalogue

TESTS = Path(__file__).parents[1]
FOLDERS = ("recordings/logs/*/*.log", "knowledge/faults/*/*.log", "knowledge/healthy/*.log")


def is_changed(path: Path) -> bool:
    lines = path.read_text("utf-8", "replace").splitlines()
    return Mask().lines(lines) != lines


CHANGED = [path for pattern in FOLDERS for path in sorted(TESTS.glob(pattern)) if is_changed(path)]


def test_some_logs_hold_secrets() -> None:
    assert len(CHANGED) > 2


@pytest.mark.parametrize("path", CHANGED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_same_findings(path: Path) -> None:
    lines = path.read_text("utf-8", "replace").splitlines()
    before, after = (causes(some) for some in (lines, Mask().lines(lines)))
    assert before == after


def causes(lines: list[str]) -> tuple[str, list[str], list[str]]:
    answer = diagnose(Scene((Log("server.log", lines),)), load_catalogue())
    return answer.verdict, [one.cause for one in answer.findings], [one.cause for one in answer.advice]
