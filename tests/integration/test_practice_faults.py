"""`paramedic practice break|mend|list`: every fault is inflicted and undone over the control endpoint."""

import http.client
import json
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from paramedic.practice.registration import Registration, registration_path
from tests.integration.practice_engine import PracticeEngine, cli, free_port, practice_engine, wait_until


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[PracticeEngine]:
    with practice_engine(tmp_path / "data", "--no-traffic") as engine:
        yield engine.ready()


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeEngine]:
    """One engine for the tests that leave it as they found it."""
    with practice_engine(tmp_path_factory.mktemp("healthy") / "data", "--no-traffic") as engine:
        yield engine.ready()


def listed(data_dir: Path) -> dict[str, object]:
    done = cli("list", "--json", "--data-dir", str(data_dir))
    assert done.returncode == 0, done.stderr
    document: dict[str, object] = json.loads(done.stdout)
    return document


def broken(data_dir: Path) -> list[str]:
    faults = listed(data_dir)["faults"]
    assert isinstance(faults, list)
    return [fault["id"] for fault in faults if fault["broken"]]


def test_engine_core_died(engine: PracticeEngine) -> None:
    done = cli("break", "engine-core-died", "--data-dir", str(engine.data_dir), "--lang", "zh")
    assert (done.returncode, done.stdout) == (0, f"{engine.url}: engine-core-died: 引擎核心进程被杀死\n")
    assert engine.exit_code() == 0
    assert "engine core exited unexpectedly" in engine.log
    assert "/faults" not in engine.log
    with practice_engine(engine.data_dir, "--no-traffic", port=engine.port) as again:
        again.ready()


def test_the_registration_is_private_and_its_token_is_needed(healthy: PracticeEngine) -> None:
    path = registration_path(healthy.data_dir, healthy.port)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    registration = Registration(**json.loads(path.read_text()))
    assert (registration.pid, registration.url) == (healthy.process.pid, healthy.url)
    assert registration.token not in cli("list", "--json", "--data-dir", str(healthy.data_dir)).stdout
    control = urlsplit(registration.control)
    connection = http.client.HTTPConnection(str(control.hostname), control.port, timeout=10)
    connection.request("POST", "/faults/engine-core-died", headers={"Authorization": "Bearer wrong"})
    assert connection.getresponse().status == 401
    connection.close()
    assert healthy.health() == 200
    assert len(healthy.family()) == 2


def test_engine_hung_and_mended(healthy: PracticeEngine) -> None:
    engine = healthy
    data_dir = str(engine.data_dir)
    assert cli("break", "engine-hung", "--data-dir", data_dir, "--port", str(engine.port)).returncode == 0
    core = engine.family()["VLLM::EngineCore"]
    wait_until(lambda: core.status() == psutil.STATUS_STOPPED, "stopped")
    assert broken(engine.data_dir) == ["engine-hung"]
    assert engine.health() == 200
    done = cli("mend", "--json", "--data-dir", data_dir)
    assert json.loads(done.stdout) == {"mended": ["engine-hung"]}
    wait_until(lambda: core.status() != psutil.STATUS_STOPPED, "going on")
    assert broken(engine.data_dir) == []
    assert cli("mend", "--data-dir", data_dir).returncode == 0


def test_local_model_path_missing_until_mended(engine: PracticeEngine) -> None:
    data_dir, port = engine.data_dir, engine.port
    assert cli("break", "local-model-path-missing", "--data-dir", str(data_dir)).returncode == 0
    assert engine.exit_code() == 0
    with practice_engine(data_dir, "--no-traffic", port=port) as failing:
        assert failing.exit_code() == 1
        assert failing.log.splitlines()[-1] == (
            "huggingface_hub.errors.HFValidationError: Repo id must be in the form 'repo_name' or "
            f"'namespace/repo_name': '{data_dir}/practice/model'. Use `repo_type` argument if needed."
        )
        assert re.search(r"^Traceback \(most recent call last\):$", failing.log, re.MULTILINE)
    assert broken(data_dir) == ["local-model-path-missing"]
    done = cli("mend", "--data-dir", str(data_dir), "--lang", "en")
    assert (done.returncode, done.stdout) == (0, "mended: local-model-path-missing\n")
    with practice_engine(data_dir, "--no-traffic", port=port) as again:
        again.ready()


def test_a_folder_of_the_user_is_not_moved(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with practice_engine(tmp_path / "data", "--no-traffic", str(tmp_path / "mine")) as engine:
        wait_until(lambda: engine.health() == 200, "ready")
        path = registration_path(engine.data_dir, engine.port)
        wait_until(path.exists, "registered")
        done = cli("break", "local-model-path-missing", "--data-dir", str(engine.data_dir))
        assert done.returncode == 2
        assert "a folder of yours" in done.stderr
        assert (tmp_path / "mine").is_dir()
        assert engine.health() == 200


def test_no_engine_is_said_with_exit_code_4(tmp_path: Path) -> None:
    stale = Registration(os.getpid(), "http://127.0.0.1:1", f"http://127.0.0.1:{free_port()}", "token", "model")
    stale.write(registration_path(tmp_path, 1))
    for command in (["break", "engine-hung"], ["mend"]):
        done = cli(*command, "--data-dir", str(tmp_path))
        assert done.returncode == 4
        assert "no practice engine runs" in done.stderr
    assert listed(tmp_path)["engines"] == []
    assert not registration_path(tmp_path, 1).exists()


def test_several_engines_need_a_name(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    with practice_engine(data_dir, "--no-traffic") as one, practice_engine(data_dir, "--no-traffic") as two:
        one.ready()
        two.ready()
        done = cli("break", "engine-hung", "--data-dir", str(data_dir))
        assert done.returncode == 2
        assert "--port" in done.stderr
        assert cli("break", "engine-hung", "--data-dir", str(data_dir), "--url", two.url).returncode == 0
        core = two.family()["VLLM::EngineCore"]
        wait_until(lambda: core.status() == psutil.STATUS_STOPPED, "stopped")
        assert one.family()["VLLM::EngineCore"].status() != psutil.STATUS_STOPPED
