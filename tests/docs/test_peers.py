"""The table of the peers is fair: every answer of theirs is mapped, and to causes that are there."""

from fnmatch import fnmatchcase
from pathlib import Path

import yaml

from paramedic.knowledge.catalogue import load_catalogue

MAPPING = Path(__file__).parents[2] / "benchmarks" / "peers.yaml"


def test_every_pattern_means_a_cause_of_ours() -> None:
    faults = load_catalogue().faults
    names = {fault.id for fault in faults} | {f"family:{fault.family}" for fault in faults}
    mapping = yaml.safe_load(MAPPING.read_text("utf-8"))
    patterns = {pattern for answers in mapping.values() for meant in answers.values() for pattern in meant}
    assert [pattern for pattern in sorted(patterns) if not any(fnmatchcase(name, pattern) for name in names)] == []
