"""kill -9 of `paramedic watch` at fifty random moments of incidents on the practice engine."""

import os
import random
import signal
from pathlib import Path

import pytest

from tests.integration.killing import kill_and_go_on

pytestmark = [pytest.mark.long, pytest.mark.timeout(400)]

SEED = int(os.environ.get("PARAMEDIC_TEST_SEED", "20261124"))
INCIDENTS, KILLS = 25, 2


def moments(number: int) -> list[float]:
    """Seconds after the break, then after the begin of each further watch."""
    drawn = random.Random(SEED * 1000 + number)
    return [drawn.uniform(0.0, 6.0), *(drawn.uniform(0.0, 5.0) for _ in range(KILLS - 1))]


@pytest.mark.parametrize("number", range(INCIDENTS))
def test_killed_at_any_moment_the_incident_goes_on(number: int, tmp_path: Path) -> None:
    fault = "engine-hung" if number % 5 == 4 else "engine-core-died"
    drawn = moments(number)
    if fault == "engine-hung":
        drawn[0] *= 10  # it takes half a minute until something is done about it
    print(f"PARAMEDIC_TEST_SEED={SEED}, incident {number}: {fault}, killed after {drawn}")
    by = signal.SIGTERM if number % 5 == 3 else signal.SIGKILL  # an upgrade asks, and leaves the engine too
    journal = kill_and_go_on(tmp_path / "watch", fault, drawn, by=by)
    started = [entry for entry in journal if entry["type"] == "DaemonStarted"]
    assert 2 <= len(started) <= KILLS + 1  # one that was killed before it began wrote nothing
