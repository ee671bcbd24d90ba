"""The table of the peers is fair: every answer of theirs is mapped, and to causes that are there."""

import importlib.util
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from paramedic.knowledge.catalogue import load_catalogue

MAPPING = Path(__file__).parents[2] / "benchmarks" / "peers.yaml"


@pytest.fixture
def peers(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("peers", MAPPING.with_suffix(".py"))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "peers", module)
    spec.loader.exec_module(module)
    return module


def test_every_pattern_means_a_cause_of_ours() -> None:
    faults = load_catalogue().faults
    names = {fault.id for fault in faults} | {f"family:{fault.family}" for fault in faults}
    mapping = yaml.safe_load(MAPPING.read_text("utf-8"))
    patterns = {pattern for answers in mapping.values() for meant in answers.values() for pattern in meant}
    assert [pattern for pattern in sorted(patterns) if not any(fnmatchcase(name, pattern) for name in names)] == []


def test_the_first_answer_counts(peers: ModuleType) -> None:
    cases = [peers.Case(Path(name), frozenset(right)) for name, right in {
        "right": ["oom-gpu-runtime"], "wrong": ["oom-gpu-runtime"], "nothing": ["oom-gpu-runtime"],
        "alarm": [], "quiet": []}.items()]  # fmt: skip
    answers = {
        Path("right"): ["oom-gpu-runtime"],
        Path("wrong"): ["engine-core-died", "oom-gpu-runtime"],
        Path("alarm"): ["engine-core-died"],
    }
    count = peers.score(cases, answers, peers.is_it)
    assert dict(count) == {"right": 1, "wrong": 1, "nothing": 1, "alarm": 1, "quiet": 1}


def test_an_answer_that_may_mean_several_causes_is_right_for_each(peers: ModuleType) -> None:
    means = peers.by({"oom": ["oom-*"], "crash": ["family:runtime-crash"]})
    assert means("oom", frozenset({"oom-gpu-runtime"}))
    assert not means("oom", frozenset({"engine-core-died"}))
    assert means("crash", frozenset({"engine-core-died"}))


def test_every_recording_is_there(peers: ModuleType) -> None:
    cases = [case for found in peers.logs().values() for case in found]
    assert len(cases) > 300
    assert [case.path for case in cases if not case.path.is_file()] == []
