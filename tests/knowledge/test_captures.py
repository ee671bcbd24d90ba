"""Recorded runs replayed: the cause first, with the time at which it was there, and silence while all was well.

A program under test sees the files only: each run is copied under a name that tells nothing.
"""

import gzip
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from paramedic.app.recordings import read_recording
from paramedic.diagnosis.diagnose import diagnose
from paramedic.knowledge.catalogue import load_catalogue
from paramedic.model.finding import Diagnosis
from tests.knowledge.scenes import RECORDINGS

RUNS = RECORDINGS / "runs"
EXPECTED: dict[str, dict[str, Any]] = yaml.safe_load((RUNS / "expected.yaml").read_text("utf-8"))
TIMED = sorted(name for name, row in EXPECTED.items() if "from" in row)
HEALTHY = [(name, *span) for name, row in EXPECTED.items() for span in row.get("healthy", ())]
OF_A_CHOICE = {"enforce-eager-slow-decode", "dtype-float32"}


def copied(name: str, folder: Path) -> Path:
    shutil.copytree(RUNS / name, folder)
    return folder


def answer_of(name: str, tmp_path: Path) -> Diagnosis:
    row = EXPECTED[name]
    run = copied(row.get("run", name), tmp_path / "run")
    baseline = copied(row["baseline"], tmp_path / "other") if "baseline" in row else None
    return diagnose(read_recording(run, baseline), load_catalogue())


def test_every_run_has_an_expectation_and_holds_no_answer() -> None:
    assert {path.name for path in RUNS.iterdir() if path.is_dir()} == {row.get("run", n) for n, row in EXPECTED.items()}
    for path in RUNS.glob("*/facts.json"):
        assert set(json.loads(path.read_text("utf-8"))) == {"model", "args", "env"}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_cause_is_first(name: str, tmp_path: Path) -> None:
    row, answer = EXPECTED[name], answer_of(name, tmp_path)
    causes = [finding.cause for finding in answer.findings]
    assert causes[:1] == ([] if row["cause"] == "none" else [row["cause"]])
    assert set(causes[1:]) <= set(row.get("also", ()))
    if row["cause"] not in OF_A_CHOICE:
        eager = "--enforce-eager" in json.loads((RUNS / name / "facts.json").read_text("utf-8"))["args"]
        assert ("enforce-eager-slow-decode" in {finding.cause for finding in answer.advice}) is eager


@pytest.mark.parametrize("name", TIMED)
def test_window_is_that_of_the_fault(name: str, tmp_path: Path) -> None:
    """What both have in common is at least half of what either has."""
    first, row = answer_of(name, tmp_path).findings[0], EXPECTED[name]
    assert first.since is not None
    assert first.until is not None
    common = min(first.until, row["to"]) - max(first.since, row["from"])
    whole = max(first.until, row["to"]) - min(first.since, row["from"])
    assert common >= 0.5 * whole


@pytest.mark.parametrize(("name", "since", "until"), HEALTHY)
def test_nothing_is_raised_while_all_is_well(name: str, since: float, until: float, tmp_path: Path) -> None:
    """The part before the fault, and the part after it, each as if nothing else had been recorded."""
    run = copied(name, tmp_path / "run")
    cut(run, since, until)
    assert diagnose(read_recording(run), load_catalogue()).findings == ()


def test_numbers_alone_name_the_cause(tmp_path: Path) -> None:
    run = copied("g5-prefix-cache", tmp_path / "run")
    (run / "server.log.gz").unlink()
    (first,) = diagnose(read_recording(run), load_catalogue()).findings
    assert (first.cause, first.evidence[0].file) == ("prefix-cache-hit-rate-drop", "metrics")
    assert "0.9" in first.summary.en  # the hit ratio of the better times


def cut(run: Path, since: float, until: float) -> None:
    """Keep what was sampled in a time; a log tells no epochs, and is left out."""
    (run / "server.log.gz").unlink()
    for path in run.glob("*.gz"):
        keep, kept = True, []
        for line in gzip.decompress(path.read_bytes()).decode().splitlines(keepends=True):
            if found := re.match(r'(?:# t=|\{"t": )([\d.]+)', line):
                keep = since <= float(found[1]) <= until
            if keep:
                kept.append(line)
        path.write_bytes(gzip.compress("".join(kept).encode()))
