"""The flight recorder: what is one server's of a shared machine, and how much is kept."""

import os
from pathlib import Path

import pytest

from paramedic.adapters.supervisors.child import ChildSupervisor
from paramedic.app.bundle_unpack import unpacked
from paramedic.app.folder import DataFolder
from paramedic.app.recorder_watch import FlightRecorder, forget_old, only_engine
from paramedic.journal.events import DiagnosisMade, IncidentOpened, WorkFailed
from paramedic.model.finding import Diagnosis, Verdict
from paramedic.model.level import Level
from tests.unit.pipeline.conftest import rig  # noqa: F401 (a fixture)
from tests.unit.pipeline.rig import NAME, Rig

INCIDENT = "INC-2026-0001"

ROW = {
    "t": 1.0,
    "engine": [
        {"pid": 1, "name": "vllm", "pct": 90, "state": "R"},
        {"pid": 2, "name": "VLLM::Worker", "pct": 50, "state": "R"},
        {"pid": 3, "name": "VLLM::Worker", "pct": 0, "state": "S"},
    ],
    "others": [{"pid": 9, "name": "gcc", "pct": 70}],
}


def test_another_server_is_a_neighbour() -> None:
    mine = only_engine(ROW, {1})
    assert [one["pid"] for one in mine["engine"]] == [1]
    assert mine["others"] == [{"pid": 9, "name": "gcc", "pct": 70}, {"pid": 2, "name": "VLLM::Worker", "pct": 50}]
    assert mine["t"] == 1.0


def test_old_bundles_go(tmp_path: Path) -> None:
    for number in range(5):
        file = tmp_path / f"INC-{number}.tar.gz"
        file.write_bytes(b"x" * 100)
        os.utime(file, (number, number))
    forget_old(tmp_path, bundles=3)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["INC-2.tar.gz", "INC-3.tar.gz", "INC-4.tar.gz"]
    forget_old(tmp_path, size=250)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["INC-3.tar.gz", "INC-4.tar.gz"]
    forget_old(tmp_path, size=10)
    assert [file.name for file in tmp_path.iterdir()] == ["INC-4.tar.gz"]


@pytest.fixture
def data(tmp_path: Path) -> DataFolder:
    folder = DataFolder(tmp_path / "data")
    folder.create()
    return folder


def begin(rig: Rig, data: DataFolder) -> None:  # noqa: F811
    """An engine under a flight recorder."""
    rig.start_engine()
    rig.log(f"{NAME}-1.log")
    rig.begin(FlightRecorder(data, rig.world, ChildSupervisor(data.engines)).run())


async def test_saved_when_the_dust_has_settled(rig: Rig, data: DataFolder) -> None:  # noqa: F811
    begin(rig, data)
    await rig.run(12)
    rig.world.recorder.record(IncidentOpened(INCIDENT, NAME, Level.P1, "a-1"))
    await rig.run(3)
    rig.world.recorder.record(DiagnosisMade(INCIDENT, Diagnosis(Verdict.UNKNOWN)))
    await rig.run(3)
    bundle = data.incidents / f"{INCIDENT}.tar.gz"
    assert not bundle.exists()
    await rig.run(8)
    with unpacked(bundle) as (folder, manifest):
        assert {"host.jsonl.gz", "events.jsonl", "watched.json", "facts.json"} <= {
            path.name for path in folder.iterdir()
        }
    assert manifest.facts["incident"] == INCIDENT
    bundle.unlink()
    await rig.run(12)
    assert not bundle.exists()
    assert dict(manifest.could_not)["metrics"].en == "no samples of that time are kept"
    assert rig.events(WorkFailed) == []


async def test_undiagnosed_is_saved_too(rig: Rig, data: DataFolder) -> None:  # noqa: F811
    begin(rig, data)
    rig.world.recorder.record(IncidentOpened(INCIDENT, NAME, Level.P1, "a-1"))
    await rig.run(25)
    assert not data.incidents.exists()
    await rig.run(12)
    assert (data.incidents / f"{INCIDENT}.tar.gz").exists()


async def test_failure_is_told_and_the_watch_goes_on(rig: Rig, data: DataFolder) -> None:  # noqa: F811
    begin(rig, data)
    data.incidents.write_text("a file where the folder should be")
    rig.world.recorder.record(IncidentOpened(INCIDENT, NAME, Level.P1, "a-1"))
    rig.world.recorder.record(DiagnosisMade(INCIDENT, Diagnosis(Verdict.UNKNOWN)))
    await rig.run(12)
    [failed] = rig.events(WorkFailed)
    assert failed.work == f"save the recording of {INCIDENT}"
    assert not rig.tasks[0].done()
