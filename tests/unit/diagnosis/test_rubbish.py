"""Whatever a log holds, there is an answer, and soon."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paramedic.diagnosis.record import without_secrets
from tests.unit.diagnosis.build import DEATH, FALLOUT, LOADING, OOM, READY, START, STOP, say, stats

PIECES = [
    *(START, LOADING, READY, OOM, STOP, DEATH, *FALLOUT),
    *("Traceback (most recent call last):", '  File "a.py", line 1, in capture_model', "ValueError: {x} %s {}"),
    stats("10:00:00", 0, 0, 3, 0, 99),
    stats("10:05:00", 900, 10, 3, 40, 99, 80),
    "error: argument {x}: {y}",
    "",
]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=60)), max_size=25))
def test_any_mixture_is_answered(lines: list[str]) -> None:
    answer = say(lines)
    assert (answer.verdict == "fault") is bool(answer.findings)
    assert (answer.verdict == "unknown") is bool(answer.missing)


@pytest.mark.parametrize("piece", ["a1", "Process 1 has ", "token_", "OutOfMemoryError: ", "\x1b[0m", "({", "File "])
def test_line_of_a_megabyte_costs_little(piece: str) -> None:
    line = piece * (1_000_000 // len(piece))
    before = time.process_time()
    say([START, line, f"CUDA error: out of memory {line}"])
    without_secrets(line)
    assert time.process_time() - before < 5
