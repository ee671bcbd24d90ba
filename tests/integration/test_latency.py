"""`paramedic latency` and `memory` of a server that runs: nobody watches it, or a watch has its samples."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integration.practice_engine import PracticeEngine, practice_engine, stream
from tests.integration.watching import watching

OPTIONS = ("--no-traffic", "--tokens-per-second", "200")


async def ask_under_load(engine: PracticeEngine, *arguments: str) -> dict[str, Any]:
    """What a command answers as JSON while short requests are sent one after the other."""
    command = [sys.executable, "-m", "paramedic", *arguments, "--json"]
    running = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    answer = asyncio.ensure_future(running.communicate())
    try:
        while not answer.done():
            await stream(engine, 5)
        out, err = await answer
    finally:
        if running.returncode is None:
            running.kill()
            await answer
    assert running.returncode in (0, 1, 3), err.decode()
    document: dict[str, Any] = json.loads(out)
    return document


def shares(document: dict[str, Any]) -> float:
    inside = [part["share"] for part in document["parts"] if part["id"] != "outside"]
    assert None not in inside
    return float(sum(inside))


async def test_a_server_that_nobody_watches_is_looked_at(tmp_path: Path) -> None:
    with practice_engine(tmp_path / "engine", *OPTIONS) as engine:
        engine.ready()
        nowhere = ("--data-dir", str(tmp_path / "none"))
        document = await ask_under_load(engine, "latency", engine.url, "--window", "4s", *nowhere)
        assert document["requests"] > 0
        assert document["output_tokens"] == pytest.approx(5)
        assert shares(document) == pytest.approx(1.0, abs=0.02)
        checks = {check["id"]: check["answer"] for check in document["checkpoints"]}
        assert checks["cuda-graphs"] == "no"  # its process and log were found by its address
        memory = await ask_under_load(engine, "memory", engine.url, *nowhere)
        assert memory["kv"]["tokens"] == 1024 * 16
        assert not (tmp_path / "none").exists()


async def test_a_watched_server_is_answered_from_its_samples(tmp_path: Path) -> None:
    with practice_engine(tmp_path / "engine", *OPTIONS) as engine:
        engine.ready()
        with watching(tmp_path) as start:
            watch = start("--target", engine.url)
            name = watch.wait("TargetAdded")["target"]["name"]
            watch.wait("StateChanged", after="serving")
            for _ in range(8):  # a few looks of the watch, with requests between them
                await stream(engine, 5)
                await asyncio.sleep(0.5)
            document = await ask_under_load(engine, "latency", name, "--data-dir", str(watch.data))
        assert document["source"] == name
        assert document["requests"] > 0
        assert shares(document) == pytest.approx(1.0, abs=0.02)
