"""The periodic line of every version is read, and sequences of it show what one cannot."""

import pytest

from paramedic.diagnosis.stats_line import read_stats
from tests.unit.diagnosis.build import READY, START, STOP, causes, stats

OLD = (
    "Avg prompt throughput: 901.7 tokens/s, Avg generation throughput: 611.0 tokens/s, Running: 22 reqs, "
    "Swapped: 0 reqs, Pending: 7 reqs, GPU KV cache usage: 12.1%, CPU KV cache usage: 3.0%."
)


def test_old_line() -> None:
    line = read_stats(0, OLD, None)
    assert line is not None
    expected = {"prompt_tps": 901.7, "generation_tps": 611.0, "running": 22.0, "waiting": 7.0, "kv_usage": 12.1}
    assert dict(line.values) == expected


def test_other_lines_are_none() -> None:
    assert read_stats(0, "SpecDecoding metrics: Accepted throughput: 3.00 tokens/s", None) is None


def overloaded(lines: int, waiting: int, kv: float) -> list[str]:
    return [stats(f"10:{n:02d}:00", 900, 400, 8, waiting, kv) for n in range(lines)]


def test_queue_for_minutes_is_overload() -> None:
    assert causes([START, READY, *overloaded(7, 30, 75)]) == ["request-queue-saturated"]


def test_queue_at_the_limit_with_free_cache_asks_for_a_higher_limit() -> None:
    assert causes([START, READY, *overloaded(7, 30, 10)]) == ["request-queue-saturated", "max-num-seqs-too-small"]


def test_queue_that_drains_is_nothing() -> None:
    assert causes([START, READY, *overloaded(2, 30, 10), stats("10:03:00", 0, 400, 8, 0, 10)]) == []


def test_each_engine_is_judged_alone() -> None:
    """Two data-parallel ranks that wait in turn are no queue that stands."""
    lines = [
        stats(f"10:00:{n}0", 900, 400, 8, 30 if (n + rank) % 2 else 0, 10).replace("Engine 000", f"Engine 00{rank}")
        for n in range(6)
        for rank in (0, 1)
    ]
    assert causes([START, READY, *lines]) == []


def full(clock: str, running: int) -> str:
    return stats(clock, 900, 400, running, 20, 98.5)


def test_full_cache_below_the_limit_means_preemption() -> None:
    assert causes([START, READY, full("10:00:00", 5), full("10:00:10", 6)]) == ["kv-cache-preemption"]


def test_full_cache_once_means_nothing() -> None:
    assert causes([START, READY, full("10:00:00", 5), stats("10:00:10", 0, 400, 5, 0, 40)]) == []


ALIVE, STUCK = stats("10:00:00", 90, 400, 3, 0, 5), stats("10:00:10", 0, 0, 3, 0, 5)
HEALTH = 'INFO:     127.0.0.1:52496 - "GET /health HTTP/1.1" 200 OK'


@pytest.mark.parametrize("after", [[HEALTH], [HEALTH, stats("10:01:40", 0, 46, 3, 0, 5)]])
def test_silence_with_work_present_is_a_hang(after: list[str]) -> None:
    assert causes([START, READY, ALIVE, STUCK, *after]) == ["engine-hung"]


@pytest.mark.parametrize(
    "lines",
    [
        [ALIVE, STUCK, stats("10:00:20", 90, 46, 3, 0, 5), HEALTH],  # a long prefill
        [ALIVE, stats("10:00:10", 0, 0, 0, 0, 5), HEALTH],  # idle
        [ALIVE, STOP, STUCK, HEALTH],  # somebody stopped it
        [
            ALIVE,
            STUCK,
            HEALTH,
            "(EngineCore pid=2) INFO 11-02 10:00:12 [abstract.py:408] It took 0.4 seconds to fall asleep.",
        ],
    ],
)
def test_other_silences_are_none(lines: list[str]) -> None:
    assert causes([START, READY, *lines]) == []


def test_hit_rate_that_falls_while_more_is_computed() -> None:
    high = [stats(f"10:00:{n}0", 1300, 600, 5, 0, 9, 92) for n in range(3)]
    assert causes([START, READY, *high, stats("10:00:40", 21000, 600, 9, 0, 40, 45)]) == ["prefix-cache-hit-rate-drop"]
    assert causes([START, READY, *high, stats("10:00:40", 1300, 600, 5, 0, 9, 45)]) == []
