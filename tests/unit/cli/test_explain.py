"""`paramedic explain`: any id of an incident leads to its story."""

from pathlib import Path

import pytest

from tests.fakes.night import (
    DEAD,
    INCIDENT,
    OTHER_INCIDENT,
    RESTART,
    crash_and_restart,
    waits_for_a_person,
)

from .conftest import Say, write_journal


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return str(write_journal(tmp_path / "data", waits_for_a_person()))


@pytest.mark.parametrize("name", [INCIDENT, DEAD, RESTART, INCIDENT.lower()])
def test_every_name_of_it(paramedic: Say, folder: str, name: str) -> None:
    said = paramedic("explain", name, "--data-dir", folder)
    assert said.code == 0
    assert said.out.startswith(f"{INCIDENT}  P0  ")
    for part in ("run-1.log:1843", "--swap-space 0", "ACT-0001  begins", "DLV-0002", "LOST"):
        assert part in said.out


def test_without_a_name_the_latest(paramedic: Say, folder: str) -> None:
    assert paramedic("explain", "--data-dir", folder).out.startswith(OTHER_INCIDENT)


def test_for_machines(paramedic: Say, folder: str) -> None:
    told = paramedic("explain", DEAD, "--data-dir", folder, "--json").json
    assert (told["id"], told["incident"]["id"], told["incident"]["open"]) == (DEAD, INCIDENT, False)
    assert told["events"][0]["after_s"] == 0
    assert told["events"][-1]["after_s"] == pytest.approx(47, abs=1)
    assert told["actions"][0]["outcome"] == "done"
    assert [delivery["outcome"] for delivery in told["deliveries"]] == ["done", "failed"]


def test_an_unknown_name(paramedic: Say, folder: str) -> None:
    said = paramedic("explain", "INC-2026-0011", "--data-dir", folder)
    assert (said.code, said.out) == (2, "")
    assert "there is no alert, incident or action 'INC-2026-0011' (did you mean 'INC-2026-0001'?)" in said.err
    assert "the last ones are ACT-0002, DLV-0002, " in said.err


def test_before_the_first_incident(paramedic: Say, tmp_path: Path) -> None:
    folder = str(write_journal(tmp_path / "calm", crash_and_restart()[:8]))
    said = paramedic("explain", "--data-dir", folder)
    assert (said.code, said.out) == (0, "No incident yet: nothing to explain.\n")
    assert paramedic("explain", "--data-dir", folder, "--json").json is None
