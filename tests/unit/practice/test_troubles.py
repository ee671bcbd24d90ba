"""A trouble is met by the engine on its port, at its stage, until it is taken away."""

from pathlib import Path

import pytest

from paramedic.model.errors import UsageError
from paramedic.practice import troubles
from paramedic.practice.fault import Patient
from paramedic.practice.faults import find_fault
from paramedic.practice.model_folder import make_own_model, own_model
from paramedic.practice.troubles import Manner, Stage, Trouble

STALLED = Trouble("start-stalled", Stage.LOADING, Manner.STANDS_STILL)
SLOW = Trouble("start-slow", Stage.LOADING, Manner.SLOW, seconds=900.0)


def test_only_its_port_and_its_stage(tmp_path: Path) -> None:
    troubles.put(tmp_path, 8210, SLOW)
    assert troubles.at_stage(str(tmp_path), 8210, Stage.LOADING) == SLOW
    assert troubles.at_stage(str(tmp_path), 8210, Stage.KV_CACHE) is None
    assert troubles.at_stage(str(tmp_path), 8211, Stage.LOADING) is None
    assert troubles.is_there(tmp_path, None, "start-slow")
    assert not troubles.is_there(tmp_path, 8211, "start-slow")


def test_it_is_taken_away_on_one_port_or_on_all(tmp_path: Path) -> None:
    for port in (8210, 8211, 8212):
        troubles.put(tmp_path, port, STALLED)
    assert troubles.take_away(tmp_path, 8210, "start-stalled")
    assert not troubles.take_away(tmp_path, 8210, "start-stalled")
    assert troubles.at_stage(str(tmp_path), 8211, Stage.LOADING) == STALLED
    assert troubles.take_away(tmp_path, None, "start-stalled")
    assert not troubles.is_there(tmp_path, None, "start-stalled")


def test_what_is_not_ours_is_passed_over(tmp_path: Path) -> None:
    troubles.put(tmp_path, 8210, STALLED)
    folder = tmp_path / "practice" / "troubles" / "8210"
    (folder / "a.json").write_text('{"fault": "a", "stage": "nowhere"}')
    (folder / "b.json").write_text('{"fault"')
    (folder / "c.json").write_text("[]")
    assert troubles.at_stage(str(tmp_path), 8210, Stage.LOADING) == STALLED


def test_a_start_fault_is_inflicted_on_the_folder_and_mended_there(tmp_path: Path) -> None:
    fault = find_fault("oom-weights-at-load")
    patient = Patient(tmp_path, own_model(tmp_path), 8210)
    assert not fault.is_broken(patient)
    fault.inflict(patient, 0.0)
    assert fault.is_broken(patient)
    assert fault.mend(Patient(tmp_path, own_model(tmp_path)))
    assert not fault.is_broken(patient)


@pytest.mark.parametrize("name", ["weights-corrupt-or-truncated", "local-model-path-missing"])
def test_a_model_of_the_users_is_not_touched(tmp_path: Path, name: str) -> None:
    fault, mine = find_fault(name), tmp_path / "mine"
    mine.mkdir()
    with pytest.raises(UsageError, match="a folder of yours"):
        fault.inflict(Patient(tmp_path, mine, 8210), 0.0)
    own = make_own_model(tmp_path)
    patient = Patient(tmp_path, own, 8210)
    assert not fault.is_broken(patient)
    fault.inflict(patient, 0.0)
    fault.inflict(patient, 0.0)
    assert fault.is_broken(patient)
    assert fault.mend(patient)
    assert (fault.mend(patient), fault.is_broken(patient)) == (False, False)


@pytest.mark.parametrize(
    "name", ["engine-hung", "hung-and-never-exits", "worker-killed", "short-stall", "kv-cache-preemption"]
)
def test_what_breaks_a_running_engine_needs_one(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="not running"):
        find_fault(name).inflict(Patient(tmp_path, own_model(tmp_path), 8210), 1.0)
