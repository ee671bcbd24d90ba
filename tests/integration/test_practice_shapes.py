"""A practice engine of several GPUs, or one that makes vectors: its processes, its figures, its end."""

import asyncio
import os
import signal
from pathlib import Path

import aiohttp
import psutil

from tests.integration.practice_engine import PracticeEngine, practice_engine, stream, wait_until


def titles(engine: PracticeEngine) -> list[tuple[str, str]]:
    """Every process of it below the API server with its parent."""
    family = engine.family()
    names = {process.pid: title for title, process in family.items()} | {engine.process.pid: "vllm"}
    return sorted((names[process.ppid()], title) for title, process in family.items())


async def test_eight_workers_below_one_engine_core(tmp_path: Path) -> None:
    options = ("--no-traffic", "--tensor-parallel-size", "8", "--tokens-per-second", "200")
    with practice_engine(tmp_path / "data", *options) as engine:
        engine.ready()
        workers = [f"VLLM::Worker_TP{rank}" for rank in range(8)]
        assert titles(engine) == [
            *[("VLLM::EngineCore", worker) for worker in workers],
            ("vllm", "VLLM::EngineCore"),
        ]
        assert "(Worker_TP7 pid=" in engine.log
        assert (await stream(engine, 3))[-1] == "data: [DONE]"
        engine.family()["VLLM::Worker_TP3"].send_signal(signal.SIGKILL)
        assert await asyncio.to_thread(engine.exit_code) == 0
        assert "Worker proc VllmWorker-3 died unexpectedly (exit code: -9)" in engine.log
        wait_until(lambda: engine.left_behind() == [], "all of it ends")


async def test_two_engine_cores_share_the_requests_and_die_together(tmp_path: Path) -> None:
    options = ("--no-traffic", "--data-parallel-size", "2", "--tensor-parallel-size", "2")
    with practice_engine(tmp_path / "data", *options) as engine:
        engine.ready()
        assert titles(engine) == [
            ("VLLM::EngineCore_DP0", "VLLM::Worker_DP0_TP0"),
            ("VLLM::EngineCore_DP0", "VLLM::Worker_DP0_TP1"),
            ("VLLM::EngineCore_DP1", "VLLM::Worker_DP1_TP0"),
            ("VLLM::EngineCore_DP1", "VLLM::Worker_DP1_TP1"),
            ("vllm", "VLLM::DPCoordinator"),
            ("vllm", "VLLM::EngineCore_DP0"),
            ("vllm", "VLLM::EngineCore_DP1"),
        ]
        clients = [asyncio.create_task(stream(engine, 2000)) for _ in range(4)]
        async with asyncio.timeout(60):
            for rank in ("0", "1"):
                while await asyncio.to_thread(engine.metric, "vllm:num_requests_running", engine=rank) != 2:
                    await asyncio.sleep(0.05)
        engine.family()["VLLM::EngineCore_DP1"].send_signal(signal.SIGKILL)
        for lines in await asyncio.gather(*clients):
            assert "EngineCore encountered an issue" in lines[-2]
        assert await asyncio.to_thread(engine.exit_code) == 0
        wait_until(lambda: engine.left_behind() == [], "all of it ends")


def test_the_processes_of_several_cores_end_with_sigterm_and_ctrl_c(tmp_path: Path) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        with practice_engine(tmp_path / number.name, "--no-traffic", "--data-parallel-size", "2") as engine:
            engine.ready()
            os.killpg(engine.process.pid, number) if number is signal.SIGINT else engine.process.terminate()
            assert engine.exit_code() == 0
            assert "engine core exited unexpectedly" not in engine.log
            wait_until(lambda engine=engine: engine.left_behind() == [], "all of it ends")


def test_orphans_of_several_cores_live_on(tmp_path: Path) -> None:
    with practice_engine(tmp_path / "data", "--no-traffic", "--data-parallel-size", "2") as engine:
        engine.ready()
        family = engine.family()
        engine.process.kill()
        engine.exit_code()
        wait_until(lambda: psutil.pid_exists(engine.process.pid) is False, "the API server is gone")
        assert all(process.is_running() for process in family.values())


async def test_an_embedding_server_makes_vectors_and_no_text(tmp_path: Path) -> None:
    with practice_engine(tmp_path / "data", "--no-traffic", "--model-kind", "embedding") as engine:
        engine.ready()
        assert "--runner pooling" in " ".join(psutil.Process(engine.process.pid).cmdline())
        assert "Supported tasks: ['embed']" in engine.log
        async with aiohttp.ClientSession(engine.url) as session:
            async with session.post("/v1/embeddings", json={"input": ["two words", "x"]}) as reply:
                answer = await reply.json()
            async with session.post("/v1/completions", json={"prompt": "x"}) as refused:
                assert refused.status == 404
        assert [item["index"] for item in answer["data"]] == [0, 1]
        assert answer["usage"]["total_tokens"] == 3
        assert engine.metric("vllm:prompt_tokens_total") == 3
        assert engine.metric("vllm:generation_tokens_total") == 0
        assert engine.metric("vllm:request_success_total", finished_reason="stop") == 2
        assert engine.metric("vllm:time_to_first_token_seconds_count") == 2
        engine.family()["VLLM::EngineCore"].send_signal(signal.SIGKILL)
        assert await asyncio.to_thread(engine.exit_code) == 0


async def test_a_server_in_eager_mode_says_so_and_is_slow(tmp_path: Path) -> None:
    options = ("--no-traffic", "--enforce-eager", "--tokens-per-second", "100")
    with practice_engine(tmp_path / "data", *options) as engine:
        engine.ready()
        assert "Enforce eager set, disabling torch.compile, CUDAGraphs" in engine.log
        await stream(engine, 20)
        seconds = engine.metric("vllm:inter_token_latency_seconds_sum")
        assert seconds / engine.metric("vllm:inter_token_latency_seconds_count") > 0.05
