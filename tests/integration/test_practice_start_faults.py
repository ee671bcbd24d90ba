"""Faults that await a start: the engine ends as the real one does, and its log says why to whoever reads it."""

import signal
from pathlib import Path

import psutil
import pytest

from paramedic.practice.fault import Patient
from paramedic.practice.fault_kinds import StartFault
from paramedic.practice.faults import all_faults, find_fault
from paramedic.practice.model_folder import make_own_model, own_model
from tests.integration.practice_engine import PracticeEngine, cli, first_cause, free_port, practice_engine, wait_until

# what the log of a failed start ends with, and the exit code
ENDS = {
    "kv-cache-smaller-than-max-model-len": ("Engine core initialization failed", 1),
    "no-memory-for-kv-cache": ("Engine core initialization failed", 1),
    "oom-cuda-graph-capture": ("Engine core initialization failed", 1),
    "oom-weights-at-load": ("Engine core initialization failed", 1),
    "unknown-or-invalid-argument": ("error: unrecognized arguments: --no-enable-prefix-caching", 2),
    "weights-corrupt-or-truncated": ("Engine core initialization failed", 1),
}


def patient(data_dir: Path, port: int) -> Patient:
    """The data folder of an engine that does not run."""
    return Patient(data_dir, own_model(data_dir), port)


def test_every_start_that_fails_is_tried_here() -> None:
    fails = {
        fault.id for fault in all_faults() if isinstance(fault, StartFault) and fault.expected.alert == "start-failed"
    }
    assert fails | {"weights-corrupt-or-truncated"} == set(ENDS)


@pytest.mark.parametrize("name", ENDS)
def test_the_start_fails_and_its_log_names_the_cause(tmp_path: Path, name: str) -> None:
    data_dir, port, fault = tmp_path / "data", free_port(), find_fault(name)
    make_own_model(data_dir)
    fault.inflict(patient(data_dir, port), fault.seconds)
    with practice_engine(data_dir, "--no-traffic", port=port) as engine:
        text, code = ENDS[name]
        assert engine.exit_code() == code
        assert text in engine.log.splitlines()[-1]
        assert engine.left_behind() == []
        assert first_cause(engine.log_file) == fault.expected.cause == name


def test_a_start_that_failed_succeeds_once_it_is_mended(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    with practice_engine(data_dir, "--no-traffic") as engine:
        engine.ready()
        done = cli("break", "weights-corrupt-or-truncated", "--data-dir", str(data_dir))
        assert done.returncode == 0, done.stderr
        assert engine.exit_code() == 0
    with practice_engine(data_dir, "--no-traffic", port=engine.port) as failing:
        assert failing.exit_code() == 1
        assert "SafetensorError: Error while deserializing header: incomplete metadata" in failing.log
    assert "mended: weights-corrupt-or-truncated" in cli("mend", "--data-dir", str(data_dir), "--lang", "en").stdout
    with practice_engine(data_dir, "--no-traffic", port=engine.port) as again:
        again.ready()


def test_a_trouble_is_of_one_port_only(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    find_fault("oom-weights-at-load").inflict(patient(data_dir, 1), 0.0)
    with practice_engine(data_dir, "--no-traffic") as engine:
        engine.ready()


def test_start_stalled_stands_still_until_mended(tmp_path: Path) -> None:
    data_dir, port, fault = tmp_path / "data", free_port(), find_fault("start-stalled")
    fault.inflict(patient(data_dir, port), 0.0)
    with practice_engine(data_dir, "--no-traffic", port=port) as engine:
        wait_until(lambda: "Starting to load model" in engine.log, "loading")
        written = engine.log
        with pytest.raises(psutil.TimeoutExpired):
            psutil.Process(engine.process.pid).wait(1.5)
        assert (engine.log, engine.health()) == (written, None)
        assert fault.mend(patient(data_dir, port))
        engine.ready()


def test_start_slow_takes_its_time_and_shows_that_it_moves(tmp_path: Path) -> None:
    data_dir, port = tmp_path / "data", free_port()
    find_fault("start-slow").inflict(patient(data_dir, port), 600.0)
    with practice_engine(data_dir, "--no-traffic", port=port) as engine:
        wait_until(lambda: "0% Completed | 0/8 [00:00<?" in engine.log, "the first progress line")
        assert engine.health() is None
        find_fault("start-slow").mend(patient(data_dir, port))
        engine.process.terminate()
        assert engine.exit_code() == 0
    find_fault("start-slow").inflict(patient(data_dir, port), 4.0)
    with practice_engine(data_dir, "--no-traffic", port=port) as engine:
        engine.ready()
        assert "50% Completed | 4/8 [00:01<00:01, 0.30s/it]" in engine.log


def test_port_in_use_until_the_stranger_goes(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    with practice_engine(data_dir, "--no-traffic") as engine:
        engine.ready()
        assert cli("break", "port-in-use-api", "--data-dir", str(data_dir)).returncode == 0
        assert engine.exit_code() == 0
        wait_until(lambda: engine.health() == 404, "the stranger answers")
    with practice_engine(data_dir, "--no-traffic", port=engine.port) as failing:
        assert failing.exit_code() == 1
        assert first_cause(failing.log_file) == "port-in-use-api"
    assert "mended: port-in-use-api" in cli("mend", "--data-dir", str(data_dir), "--lang", "en").stdout
    wait_until(lambda: engine.health() is None, "the stranger goes")
    with practice_engine(data_dir, "--no-traffic", port=engine.port) as again:
        again.ready()


def test_a_failed_start_of_many_workers_leaves_nothing(tmp_path: Path) -> None:
    data_dir, port = tmp_path / "data", free_port()
    find_fault("oom-weights-at-load").inflict(patient(data_dir, port), 0.0)
    options = ("--no-traffic", "--tensor-parallel-size", "2", "--data-parallel-size", "2")
    with practice_engine(data_dir, *options, port=port) as engine:
        assert engine.exit_code() == 1
        assert "Failed core proc(s): {'EngineCore_DP" in engine.log
        wait_until(lambda: engine.left_behind() == [], "everything ends")
        assert engine.log.count("torch.OutOfMemoryError") in (1, 2), "the first rank of each core tells, not every rank"


def test_kill_of_a_stalled_start_leaves_nothing_for_long(tmp_path: Path) -> None:
    data_dir, port = tmp_path / "data", free_port()
    find_fault("start-stalled").inflict(patient(data_dir, port), 0.0)
    environment: dict[str, object] = {"orphan_seconds": 0.3, "start_seconds": 0.1, "traffic": False}
    engine = PracticeEngine(data_dir, port, environment=environment)
    try:
        wait_until(lambda: "Starting to load model" in engine.log, "loading")
        engine.process.send_signal(signal.SIGTERM)
        assert engine.exit_code() == 0
        wait_until(lambda: engine.left_behind() == [], "everything ends")
    finally:
        engine.end()
