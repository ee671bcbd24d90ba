"""Faults of an engine that serves, over its control endpoint: what a client and a watcher then see of it."""

import asyncio
import json
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from paramedic.model.errors import UsageError
from paramedic.practice.registration import Registration, registration_path
from tests.integration.practice_engine import PracticeEngine, first_cause, practice_engine, stream, wait_until

FAST = ("--no-traffic", "--tokens-per-second", "200")


def control(engine: PracticeEngine, method: str, path: str) -> dict[str, list[str]]:
    """Ask the control endpoint of a running engine."""
    registration = Registration(**json.loads(registration_path(engine.data_dir, engine.port).read_text()))
    answer: dict[str, list[str]] = registration.call(method, path)
    return answer


def broken(engine: PracticeEngine) -> list[str]:
    return control(engine, "GET", "/")["broken"]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[PracticeEngine]:
    with practice_engine(tmp_path / "data", *FAST) as engine:
        yield engine.ready()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeEngine]:
    """One engine for the tests that leave it as they found it."""
    with practice_engine(tmp_path_factory.mktemp("served") / "data", *FAST) as engine:
        yield engine.ready()


def test_worker_killed(engine: PracticeEngine) -> None:
    control(engine, "POST", "/faults/worker-killed")
    assert engine.exit_code() == 0
    assert "Worker proc VllmWorker-0 died unexpectedly (exit code: -9), shutting down executor." in engine.log
    assert engine.left_behind() == []
    assert first_cause(engine.log_file) == "engine-core-died"


async def test_out_of_memory_ends_with_the_next_step(engine: PracticeEngine) -> None:
    control(engine, "POST", "/faults/oom-gpu-runtime")
    assert engine.health() == 200
    lines = await stream(engine, 5)
    assert "EngineCore encountered an issue" in lines[0]
    assert await asyncio.to_thread(engine.exit_code) == 0
    assert "num_running_reqs=1, num_waiting_reqs=0" in engine.log
    assert first_cause(engine.log_file) == "oom-gpu-runtime"


async def test_a_short_stall_ends_by_itself(engine: PracticeEngine) -> None:
    heard: list[str] = []
    client = asyncio.create_task(stream(engine, 1500, heard))
    async with asyncio.timeout(30):
        while len(heard) < 3:
            await asyncio.sleep(0.01)
    await asyncio.to_thread(control, engine, "POST", "/faults/short-stall?seconds=1.5")
    assert engine.health() == 200
    await client
    within = engine.metric("vllm:inter_token_latency_seconds_bucket", le="1.0")
    assert within < engine.metric("vllm:inter_token_latency_seconds_count"), "one token took longer than a second"
    assert (heard[-1], broken(engine)) == ("data: [DONE]", [])


@pytest.mark.parametrize("seconds", ["nan", "inf", "-1", "soon"])
def test_no_length_of_time_is_refused(served: PracticeEngine, seconds: str) -> None:
    with pytest.raises(UsageError, match="no length of time"):
        control(served, "POST", f"/faults/short-stall?seconds={seconds}")
    assert served.health() == 200


def test_metrics_slow_until_mended(served: PracticeEngine) -> None:
    engine = served
    control(engine, "POST", "/faults/metrics-slow?seconds=600")
    with pytest.raises(TimeoutError):
        engine.get("/metrics", timeout=1.0)
    assert engine.health() == 200
    assert broken(engine) == ["metrics-slow"]
    assert control(engine, "DELETE", "/faults") == {"mended": ["metrics-slow"]}
    assert engine.metric("vllm:num_requests_running") == 0


def test_eager_mode_slows_every_token(served: PracticeEngine) -> None:
    engine = served

    def itl() -> float:
        names = ("vllm:inter_token_latency_seconds_sum", "vllm:inter_token_latency_seconds_count")
        before = [engine.metric(name) for name in names]
        asyncio.run(stream(engine, 40))
        seconds, count = (engine.metric(name) - old for name, old in zip(names, before, strict=True))
        return seconds / count

    control(engine, "POST", "/faults/enforce-eager-slow-decode")
    assert broken(engine) == ["enforce-eager-slow-decode"]
    assert itl() > 5 / 200, "a step of 5 ms takes at least five times as long"
    assert control(engine, "DELETE", "/faults") == {"mended": ["enforce-eager-slow-decode"]}
    assert broken(engine) == []


def in_the_engine(engine: PracticeEngine) -> float:
    """Its requests: one that is preempted is not gone, it waits again."""
    return engine.metric("vllm:num_requests_running") + engine.metric("vllm:num_requests_waiting")


def test_a_crowd_fills_the_kv_cache_and_goes_when_mended(engine: PracticeEngine) -> None:
    control(engine, "POST", "/faults/kv-cache-preemption")
    wait_until(lambda: engine.metric("vllm:num_preemptions_total") > 0, "preempted", 90)
    wait_until(lambda: engine.metric("vllm:kv_cache_usage_perc") > 0.8, "the cache is nearly full")
    assert broken(engine) == ["kv-cache-preemption"]
    assert control(engine, "DELETE", "/faults") == {"mended": ["kv-cache-preemption"]}
    wait_until(lambda: in_the_engine(engine) == 0, "they have gone")
    assert engine.health() == 200


def test_a_crowd_queues_where_all_seats_are_taken(tmp_path: Path) -> None:
    with practice_engine(tmp_path / "data", "--no-traffic", "--max-num-seqs", "8") as engine:
        engine.ready()
        control(engine, "POST", "/faults/request-queue-saturated")
        wait_until(lambda: engine.metric("vllm:num_requests_waiting") > 30, "queueing", 60)
        wait_until(lambda: engine.metric("vllm:num_requests_running") == 8, "all seats taken")
        assert engine.metric("vllm:num_preemptions_total") == 0
        assert control(engine, "DELETE", "/faults") == {"mended": ["request-queue-saturated"]}


def test_clients_that_disconnect_leave_no_finished_request(tmp_path: Path) -> None:
    with practice_engine(tmp_path / "data", "--no-traffic", "--tokens-per-second", "20") as engine:
        engine.ready()
        control(engine, "POST", "/faults/clients-disconnect")
        wait_until(lambda: engine.metric("vllm:time_to_first_token_seconds_count") >= 12, "the second round", 60)
        assert engine.metric("vllm:request_success_total", finished_reason="length") == 0
        wait_until(lambda: engine.metric("vllm:num_requests_running") <= 6, "who left is forgotten")
        assert engine.health() == 200


def test_the_api_server_killed_leaves_its_orphans(engine: PracticeEngine) -> None:
    family = engine.family()
    control(engine, "POST", "/faults/api-server-killed")
    assert engine.exit_code() == -signal.SIGKILL
    assert engine.health() is None
    assert all(process.is_running() for process in family.values())


async def test_a_server_that_never_exits_on_sigterm(engine: PracticeEngine) -> None:
    control(engine, "POST", "/faults/server-never-exits-on-sigterm")
    wait_until(lambda: "Waiting for connections to close." in engine.log, "waiting")
    wait_until(lambda: engine.left_behind() == [engine.process.pid], "its engine is gone")
    assert engine.health() is None
    with pytest.raises(psutil.TimeoutExpired):
        psutil.Process(engine.process.pid).wait(3)
    engine.process.kill()
    assert engine.exit_code() == -signal.SIGKILL
    assert first_cause(engine.log_file) == "server-never-exits-on-sigterm"


def test_an_engine_that_hangs_and_does_not_end_when_told_to(engine: PracticeEngine) -> None:
    control(engine, "POST", "/faults/hung-and-never-exits")
    core = engine.family()["VLLM::EngineCore"]
    wait_until(lambda: core.status() == psutil.STATUS_STOPPED, "stopped")
    assert "hung-and-never-exits" in broken(engine)
    engine.process.terminate()
    wait_until(lambda: "Waiting for connections to close." in engine.log, "waiting")
    with pytest.raises(psutil.TimeoutExpired):
        psutil.Process(engine.process.pid).wait(3)
    engine.process.kill()
    engine.exit_code()


def test_an_engine_that_hung_and_was_mended_ends_as_ever(engine: PracticeEngine) -> None:
    control(engine, "POST", "/faults/hung-and-never-exits")
    assert "hung-and-never-exits" in control(engine, "DELETE", "/faults")["mended"]
    assert broken(engine) == []
    wait_until(lambda: engine.metric("vllm:num_requests_running") == 0, "the client has left")
    engine.process.terminate()
    assert engine.exit_code() == 0
    assert engine.left_behind() == []
