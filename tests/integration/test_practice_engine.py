"""The practice engine serves, dies and stands still as the recorded vLLM does."""

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import psutil
import pytest

from tests.integration.practice_engine import PracticeEngine, free_port, practice_engine, stream, wait_until

ERROR_CHUNK = (
    'data: {"error": {"message": "EngineCore encountered an issue. See stack trace (above) for the root cause.", '
    '"type": "InternalServerError", "param": null, "code": 500}}'
)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[PracticeEngine]:
    with practice_engine(tmp_path / "data", "--no-traffic") as engine:
        yield engine.ready()


async def heard_something(heard: list[str], count: int = 2) -> None:
    async with asyncio.timeout(30):
        while len(heard) < count:
            await asyncio.sleep(0.01)


def in_order(log: str, *fragments: str) -> None:
    at = 0
    for fragment in fragments:
        assert fragment in log[at:], f"{fragment!r} is not where it should be in\n{log}"
        at = log.index(fragment, at) + len(fragment)


def test_refuses_until_ready_then_looks_like_vllm(tmp_path: Path) -> None:
    with practice_engine(tmp_path / "data", "--no-traffic", "--start-seconds", "1.5") as engine:
        wait_until(lambda: "Starting to load model" in engine.log, "loading")
        assert engine.health() is None
        engine.ready()
        in_order(
            engine.log,
            "version 0.32.0",
            "Initializing a V1 LLM engine (v0.32.0)",
            "Starting to load model",
            "KV cache size: 16,384 tokens",
            "init engine (profile, create kv cache, warmup model) took",
            f"Starting vLLM server on {engine.url}",
            "Route: /v1/completions, Methods: POST",
            "INFO:     Application startup complete.",
        )
        server = psutil.Process(engine.process.pid)
        assert server.cmdline()[1].endswith("/bin/vllm")
        assert server.cmdline()[2] == "serve"
        assert str(engine.port) in server.cmdline()
        family = engine.family()
        assert set(family) == {"VLLM::EngineCore", "VLLM::Worker"}
        assert family["VLLM::EngineCore"].ppid() == server.pid
        assert family["VLLM::Worker"].ppid() == family["VLLM::EngineCore"].pid
        assert {os.getsid(child.pid) for child in family.values()} == {server.pid}


async def test_the_endpoints_answer(tmp_path: Path) -> None:
    with practice_engine(tmp_path / "data", "--no-traffic", "--tokens-per-second", "500") as engine:
        await the_endpoints_answer(engine.ready())


async def the_endpoints_answer(engine: PracticeEngine) -> None:
    assert engine.get("/health") == (200, "")
    assert engine.get("/ping") == (200, "")
    assert engine.get("/version") == (200, '{"version":"0.32.0"}')
    assert engine.get("/load") == (200, '{"server_load":0}')
    assert engine.get("/is_sleeping")[0] == engine.get("/is_paused")[0] == 404
    lines = await stream(engine, 5)
    assert lines[-1] == "data: [DONE]"
    chunks = [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [None] * 4 + ["length"]
    the_figures_are_what_happened(engine)
    async with (
        aiohttp.ClientSession(engine.url) as session,
        session.post("/v1/completions", json={"prompt": "count", "max_tokens": 5, "ignore_eos": True}) as whole,
        session.post("/v1/chat/completions", json={"messages": [{"role": "user", "content": "hi"}]}) as chat,
        session.post("/v1/completions", json={"prompt": "x", "model": "other"}) as other,
    ):
        answer = await whole.json()
        assert answer["choices"][0]["text"] == "".join(chunk["choices"][0]["text"] for chunk in chunks)
        assert answer["usage"]["completion_tokens"] == 5
        assert (await chat.json())["choices"][0]["finish_reason"] == "stop"
        assert other.status == 404


def the_figures_are_what_happened(engine: PracticeEngine) -> None:
    """After one stream of five tokens."""
    assert engine.metric("vllm:generation_tokens_total") == 5
    assert engine.metric("vllm:prompt_tokens_total") == 1
    assert engine.metric("vllm:request_success_total", finished_reason="length") == 1
    assert engine.metric("vllm:time_to_first_token_seconds_count") == 1
    assert engine.metric("vllm:inter_token_latency_seconds_count") == 4
    assert engine.metric("vllm:num_requests_running") == 0
    wait_until(lambda: '"/v1/completions"' in engine.get("/metrics")[1], "the request is counted")
    assert engine.metric("http_requests_total", handler="/v1/completions") == 1


async def test_requests_beyond_max_num_seqs_wait_and_leave_when_hung_up(tmp_path: Path) -> None:
    with practice_engine(tmp_path / "data", "--no-traffic", "--max-num-seqs", "1") as engine:
        engine.ready()
        clients = [asyncio.create_task(stream(engine, 2000)) for _ in range(3)]
        try:
            async with asyncio.timeout(30):
                while await asyncio.to_thread(engine.metric, "vllm:num_requests_waiting") != 2:
                    await asyncio.sleep(0.05)
            assert await asyncio.to_thread(engine.metric, "vllm:num_requests_running") == 1
        finally:
            for client in clients:
                client.cancel()
            await asyncio.gather(*clients, return_exceptions=True)
        async with asyncio.timeout(30):
            while await asyncio.to_thread(engine.metric, "vllm:num_requests_running") != 0:
                await asyncio.sleep(0.05)
        wait_until(lambda: engine.metric("vllm:num_requests_waiting") == 0, "who waited has left too")


async def test_engine_core_killed_while_streaming(tmp_path: Path) -> None:
    with practice_engine(tmp_path / "data", "--no-traffic", "--dead-seconds", "2") as engine:
        await the_engine_core_is_killed(engine.ready())


async def the_engine_core_is_killed(engine: PracticeEngine) -> None:
    heard: list[str] = []
    client = asyncio.create_task(stream(engine, 2000, heard))
    await heard_something(heard)
    engine.family()["VLLM::EngineCore"].send_signal(signal.SIGKILL)
    await client
    assert heard[-2:] == [ERROR_CHUNK, "data: [DONE]"]
    assert engine.health() == 503
    async with (
        aiohttp.ClientSession(engine.url) as session,
        session.post("/v1/completions", json={"prompt": "x"}) as reply,
    ):
        assert reply.status == 500
    assert await asyncio.to_thread(engine.exit_code) == 0
    in_order(
        engine.log,
        "[shutdown] MPClient: engine core exited unexpectedly; starting cleanup",
        "AsyncLLM output_handler failed.",
        "vllm.v1.engine.exceptions.EngineDeadError: EngineCore encountered an issue.",
        "Error in completion stream generator.",
        '"GET /health HTTP/1.1" 503 Service Unavailable',
        "Engine Exception caught. Request id: None",
        "INFO:     Shutting down",
    )
    assert engine.left_behind() == []
    assert not list((engine.data_dir / "practice").glob("*.json"))


def test_worker_killed(engine: PracticeEngine) -> None:
    engine.family()["VLLM::Worker"].send_signal(signal.SIGKILL)
    assert engine.exit_code() == 0
    assert "Worker proc VllmWorker-0 died unexpectedly (exit code: -9), shutting down executor." in engine.log
    assert engine.left_behind() == []


async def test_engine_core_stopped_then_continued(engine: PracticeEngine) -> None:
    heard: list[str] = []
    client = asyncio.create_task(stream(engine, 2000, heard))
    await heard_something(heard)
    core = engine.family()["VLLM::EngineCore"]
    core.suspend()
    await asyncio.sleep(0.5)  # what was on its way has arrived
    tokens, lines = engine.metric("vllm:generation_tokens_total"), len(heard)
    late: list[str] = []
    newcomer = asyncio.create_task(stream(engine, 3, late))
    await asyncio.sleep(1.0)
    assert engine.health() == 200
    assert engine.metric("vllm:generation_tokens_total") == tokens
    assert engine.metric("vllm:num_requests_running") == 1
    assert engine.metric("vllm:num_requests_waiting") == 0
    assert (len(heard), late) == (lines, [])
    core.resume()
    await newcomer
    assert (len(late), late[-1]) == (4, "data: [DONE]")
    await heard_something(heard, lines + 3)
    client.cancel()


@pytest.mark.parametrize("stopped", [False, True], ids=["running", "engine core stopped"])
async def test_sigterm_ends_everything(tmp_path: Path, stopped: bool) -> None:
    with practice_engine(tmp_path / "data") as engine:
        engine.ready()
        client = asyncio.create_task(stream(engine, 2000, heard := []))
        await heard_something(heard)
        if stopped:
            engine.family()["VLLM::EngineCore"].suspend()
        engine.process.terminate()
        await client
        assert heard[-1] == "data: [DONE]"
        assert await asyncio.to_thread(engine.exit_code) == 0
        assert "engine core exited unexpectedly" not in engine.log
        in_order(engine.log, "[shutdown] API server: shutdown triggered", "[shutdown] MPClient: complete")
        assert engine.left_behind() == []


def test_ctrl_c_reaches_the_whole_group_and_is_no_death(engine: PracticeEngine) -> None:
    os.killpg(engine.process.pid, signal.SIGINT)
    assert engine.exit_code() == 0
    assert "engine core exited unexpectedly" not in engine.log
    assert engine.left_behind() == []


def test_ended_while_starting(tmp_path: Path) -> None:
    with practice_engine(tmp_path / "data", "--start-seconds", "60") as engine:
        wait_until(lambda: "Starting to load model" in engine.log, "loading")
        engine.process.terminate()
        assert engine.exit_code() == 0
        wait_until(lambda: engine.left_behind() == [], "everything ends")


def test_api_server_killed_leaves_orphans(engine: PracticeEngine) -> None:
    family = engine.family()
    engine.process.kill()
    assert engine.exit_code() == -signal.SIGKILL
    core = family["VLLM::EngineCore"]
    wait_until(lambda: core.ppid() != engine.process.pid, "orphaned")
    assert all(process.is_running() for process in family.values())
    core.terminate()
    wait_until(lambda: engine.left_behind() == [], "the worker follows its engine core")


@pytest.mark.parametrize("stopped", [False, True], ids=["running", "engine core stopped"])
def test_orphans_end_by_themselves_in_the_end(tmp_path: Path, stopped: bool) -> None:
    environment: dict[str, object] = {"orphan_seconds": 0.3, "start_seconds": 0.1, "traffic": False}
    engine = PracticeEngine(tmp_path / "data", free_port(), environment=environment)
    try:
        engine.ready()
        if stopped:
            engine.family()["VLLM::EngineCore"].suspend()
        engine.process.kill()
        engine.exit_code()
        wait_until(lambda: engine.left_behind() == [], "the orphans end")
    finally:
        engine.end()


def test_port_in_use(tmp_path: Path) -> None:
    port = free_port()
    with practice_engine(tmp_path / "one", "--no-traffic", port=port) as first:
        first.ready()
        with practice_engine(tmp_path / "two", "--no-traffic", port=port) as second:
            assert second.exit_code() == 1
            assert second.log.endswith("OSError: [Errno 98] Address already in use\n")
        assert first.health() == 200
