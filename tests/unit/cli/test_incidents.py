"""`paramedic incidents`: newest first."""

from pathlib import Path

import pytest

from tests.fakes.night import INCIDENT, OTHER_INCIDENT, crash_and_restart, waits_for_a_person

from .conftest import Say, write_journal


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return str(write_journal(tmp_path / "data", waits_for_a_person()))


def test_newest_first(paramedic: Say, folder: str) -> None:
    said = paramedic("incidents", "--data-dir", folder)
    assert said.code == 0
    assert [line.split()[0] for line in said.out.splitlines()] == ["INCIDENT", OTHER_INCIDENT, INCIDENT]


def test_only_open_ones_and_a_limit(paramedic: Say, folder: str) -> None:
    only_open = paramedic("incidents", "--data-dir", folder, "--open", "--json").json
    assert [incident["id"] for incident in only_open] == [OTHER_INCIDENT]
    limited = paramedic("incidents", "--data-dir", folder, "--limit", "1", "--json").json
    assert [incident["id"] for incident in limited] == [OTHER_INCIDENT]


def test_the_cause_for_machines(paramedic: Say, folder: str) -> None:
    by_id = {incident["id"]: incident for incident in paramedic("incidents", "--data-dir", folder, "--json").json}
    assert by_id[INCIDENT]["diagnosis"]["findings"][0]["cause"] == "engine-core-died"
    assert by_id[INCIDENT]["open"] is False
    assert by_id[OTHER_INCIDENT]["diagnosis"]["verdict"] == "unknown"


def test_none_is_an_answer(paramedic: Say, tmp_path: Path) -> None:
    folder = str(write_journal(tmp_path / "calm", crash_and_restart()[:8]))
    said = paramedic("incidents", "--data-dir", folder)
    assert (said.code, said.out) == (0, "No incidents.\n")
    assert paramedic("incidents", "--data-dir", folder, "--json").json == []


def test_a_folder_that_is_not_there_is_not_calm(paramedic: Say, tmp_path: Path) -> None:
    said = paramedic("incidents", "--data-dir", str(tmp_path / "typo"))
    assert said.code == 3
    assert "there is no journal in" in said.err
