"""The stats line: while tokens move, once more with zeros, then silence."""

import pytest

from paramedic.practice.engine_client import EngineClient
from paramedic.practice.log import Log
from paramedic.practice.metrics import EngineMetrics, EngineState
from paramedic.practice.settings import Settings
from paramedic.practice.stats import Stats


def test_zeros_once_then_silence(capsys: pytest.CaptureFixture[str]) -> None:
    engine = EngineClient(Settings("m", 1, "d"), EngineMetrics("m", 2048), Log("APIServer"))
    stats = Stats(engine, Log("APIServer"))
    stats.tick()
    assert capsys.readouterr().out == ""
    engine.ranks[0].tokens = {"prompt": 25, "generation": 600}
    engine.ranks[0].state = EngineState(running=3, waiting=1, kv_usage=0.051)
    stats.tick()
    assert capsys.readouterr().out.endswith(
        "[loggers.py:335] Engine 000: Avg prompt throughput: 2.5 tokens/s, Avg generation throughput: 60.0 tokens/s, "
        "Running: 3 reqs, Waiting: 1 reqs, CPU KV cache usage: 5.1%\n"
    )
    stats.tick()
    assert "Avg generation throughput: 0.0 tokens/s, Running: 3 reqs" in capsys.readouterr().out
    stats.tick()
    assert capsys.readouterr().out == ""


def test_a_line_for_every_engine_core(capsys: pytest.CaptureFixture[str]) -> None:
    engine = EngineClient(Settings("m", 1, "d", data_parallel_size=2), EngineMetrics("m", 2048, 2), Log("APIServer"))
    stats = Stats(engine, Log("APIServer"))
    for number, rank in enumerate(engine.ranks):
        rank.tokens = {"prompt": 0, "generation": 10 * (number + 1)}
    stats.tick()
    first, second = capsys.readouterr().out.splitlines()
    assert "Engine 000: Avg prompt throughput: 0.0 tokens/s, Avg generation throughput: 1.0 tokens/s" in first
    assert "Engine 001: Avg prompt throughput: 0.0 tokens/s, Avg generation throughput: 2.0 tokens/s" in second
