"""Of a log that is days long, a recording looks at the start and at its own time."""

from paramedic.app.bundle_log import recorded_part
from paramedic.diagnosis.scene import Log

START = ["INFO 11-23 01:00:00 [api_server.py:1] vLLM API server version 0.26.0", "INFO 11-23 01:01:00 [x.py:1] loading"]


def stats(day: int, hour: int, minute: int, second: int = 0) -> str:
    return (
        f"INFO 11-{day} {hour:02}:{minute:02}:{second:02} [loggers.py:1] Engine: Avg prompt throughput: 1.0 tokens/s, "
        "Avg generation throughput: 2.0 tokens/s, Running: 1 reqs, Waiting: 0 reqs, GPU KV cache usage: 1.0%"
    )


def two_days() -> list[str]:
    return START + [stats(day, hour, minute) for day in (23, 24) for hour in range(2, 24) for minute in range(60)]


def test_what_lies_between_is_a_gap() -> None:
    lines = two_days()
    part = recorded_part(Log("server.log", lines), 60.0)
    assert list(part.lines[:2]) == START
    assert part.lines[-1] == lines[-1]
    assert 31 <= len(part.lines) - 2 <= 31 + 64
    assert part.gap == (2, len(lines) - len(part.lines))
    assert [part.number(index) for index in (0, 1, len(part.lines) - 1)] == [1, 2, len(lines)]


def test_short_log_stays_whole() -> None:
    log = Log("server.log", START + [stats(23, 2, 0, second) for second in range(60)])
    assert recorded_part(log, 60.0) is log


def test_without_a_clock_it_stays_whole() -> None:
    log = Log("server.log", ["no time here"] * 1000)
    assert recorded_part(log, 60.0) is log


def test_empty_log() -> None:
    log = Log("server.log", [])
    assert recorded_part(log, 60.0) is log
