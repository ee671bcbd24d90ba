"""Nothing is wrong in the logs of real runs that went well, nor in those of programs that are no engine."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from paramedic.diagnosis.diagnose import diagnose
from paramedic.diagnosis.scene import Scene
from paramedic.knowledge.catalogue import load_catalogue
from paramedic.model.finding import Verdict
from tests.knowledge.scenes import log_of

HERE = Path(__file__).parent / "benign"
INDEX: dict[str, dict[str, Any]] = yaml.safe_load((HERE / "index.yaml").read_text("utf-8"))
CATALOGUE = load_catalogue()
# A program that is no engine may read as one that works (it answered requests), or as none that we know.
WELL = {True: {Verdict.HEALTHY}, False: {Verdict.HEALTHY, Verdict.UNKNOWN}}


def rows(asked: str) -> list[Any]:
    """Every log, those where an answer is still wrong marked as such; a mended one makes the test fail."""
    open_ = {
        name: [pytest.mark.xfail(strict=True, reason=str(about[f"open_{asked}"]))]
        for name, about in INDEX.items()
        if f"open_{asked}" in about
    }
    return [pytest.param(name, marks=open_.get(name, [])) for name in sorted(INDEX)]


@pytest.mark.parametrize("name", rows("fault"))
def test_no_false_fault(name: str) -> None:
    answer = diagnose(Scene((log_of(HERE / name),)), CATALOGUE)
    assert [finding.cause for finding in answer.findings] == []


@pytest.mark.parametrize("name", rows("verdict"))
def test_verdict(name: str) -> None:
    answer = diagnose(Scene((log_of(HERE / name),)), CATALOGUE)
    assert answer.verdict in WELL[INDEX[name].get("engine", True)]


def test_every_log_says_where_it_comes_from() -> None:
    assert {path.name for path in HERE.glob("*.log")} == set(INDEX)
    for name, about in INDEX.items():
        assert {"program", "version", "how", "kind"} <= set(about), name
        assert about["kind"] == "run", name


def test_there_are_at_least_forty() -> None:
    assert len(INDEX) >= 40
