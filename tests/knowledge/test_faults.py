"""Every fault is complete and has its proof: a folder of its name with logs or scenes that show it."""

import re
from pathlib import Path

import pytest
import yaml

from paramedic.diagnosis.diagnose import diagnose
from paramedic.diagnosis.explain import holes
from paramedic.diagnosis.pattern import ARGUMENT, Fault
from paramedic.diagnosis.scene import Scene
from paramedic.knowledge.catalogue import load_catalogue
from paramedic.knowledge.lexicon import load_vocabulary
from paramedic.signals.promql import parse
from tests.knowledge.scenes import RECORDINGS, log_of, scene_of

HERE = Path(__file__).parent / "faults"
CATALOGUE = load_catalogue()
LOGS = sorted(HERE.glob("*/*.log"))
SCENES = sorted(HERE.glob("*/*.yaml"))
# A full queue is one whoever stopped the server, and so is a process left over; an end that a person wanted is none.
OF_PROCESSES = [path for path in SCENES if not {"samples", "orphans"} & yaml.safe_load(path.read_text("utf-8")).keys()]
QUIET = sorted((Path(__file__).parent / "healthy").glob("*.log"))


def name(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


@pytest.mark.parametrize("path", LOGS, ids=name)
def test_log_shows_its_fault_first(path: Path) -> None:
    assert_first(Scene((log_of(path),)), path.parent.name)


@pytest.mark.parametrize("path", SCENES, ids=name)
def test_scene_shows_its_fault(path: Path) -> None:
    seen = yaml.safe_load(path.read_text("utf-8"))
    answer = diagnose(scene_of(seen), CATALOGUE)
    causes = [finding.cause for finding in answer.findings or answer.advice]
    assert path.parent.name in causes
    assert causes[0] == seen.get("first", path.parent.name)


@pytest.mark.parametrize("path", OF_PROCESSES, ids=name)
def test_scene_that_a_person_brought_about_is_no_fault(path: Path) -> None:
    seen = yaml.safe_load(path.read_text("utf-8"))
    assert diagnose(scene_of(seen | {"by_person": True}), CATALOGUE).findings == ()


@pytest.mark.parametrize("path", QUIET, ids=name)
def test_nothing_is_wrong_in_a_healthy_log(path: Path) -> None:
    answer = diagnose(Scene((log_of(path),)), CATALOGUE)
    assert [finding.cause for finding in answer.findings] == []
    assert answer.missing == ()


@pytest.mark.parametrize("fault", CATALOGUE.faults, ids=lambda fault: fault.id)
def test_every_fault_has_a_proof(fault: Fault) -> None:
    recorded = yaml.safe_load((RECORDINGS / "expected.yaml").read_text("utf-8")).values()
    proven = {path.parent.name for path in (*LOGS, *SCENES)}
    proven |= {cause for row in recorded for cause in (row["cause"], *row.get("also", []))}
    assert (fault.id in proven) is bool(fault.sights)
    assert bool(fault.sights) is not bool(fault.ask.en)


def test_no_proof_without_its_fault() -> None:
    assert {path.parent.name for path in (*LOGS, *SCENES)} <= set(CATALOGUE.by_id)


def test_every_remedy_is_used() -> None:
    used = {remedy for fault in CATALOGUE.faults for remedy in fault.remedies}
    used |= {remedy for table in CATALOGUE.tables.values() for row in table.rows.values() for remedy in row.remedies}
    assert used == set(CATALOGUE.remedies)


def test_both_languages_name_the_same_numbers() -> None:
    texts = [text for fault in CATALOGUE.faults for text in (fault.title, *fault.summaries)]
    texts += [text for remedy in CATALOGUE.remedies.values() for text in remedy.texts]
    assert [text for text in texts if holes(text.en) != holes(text.zh)] == []


def test_conditions_are_in_our_promql_and_vocabulary() -> None:
    """What a fault asks of the samples can really be asked."""
    known = load_vocabulary().names()
    for expression in [
        ARGUMENT.sub("1", text.replace("$window", "10s"))
        for fault in CATALOGUE.faults
        for sight in fault.sights
        for text in (sight.metrics.expressions() if sight.metrics else ())
    ]:
        assert parse(expression)
        assert set(re.findall(r"(?:llm:|paramedic_)\w+", expression)) <= set(known)


def test_there_are_at_least_the_causes_that_were_promised() -> None:
    assert len([fault for fault in CATALOGUE.faults if not fault.advice]) >= 25


def assert_first(scene: Scene, cause: str) -> None:
    answer = diagnose(scene, CATALOGUE)
    found = answer.advice if CATALOGUE.by_id[cause].advice else answer.findings
    assert [finding.cause for finding in found][:1] == [cause]
