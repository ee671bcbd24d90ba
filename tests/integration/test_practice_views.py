"""A fault of the practice engine looks to a watcher as the same fault of the real engine did."""

import sys
import time
from pathlib import Path

import pytest

from tests.integration.practice_engine import free_port, wait_until
from tests.integration.watching import Watch, ask, watching
from tests.views import OBSERVE, VIEWS, kept, view

SETTLED = 3.0  # seconds after the diagnosis; the practice engine dies faster than the real one
OF_A_START = {
    "local-model-path-missing",
    "port-in-use-api",
    "unknown-or-invalid-argument",
    "weights-corrupt-or-truncated",
}


def practice(data: Path, port: int) -> list[str]:
    """The command of a practice engine that starts and dies fast."""
    command = [sys.executable, "-m", "paramedic", "practice", "serve", "--port", str(port)]
    return [*command, "--data-dir", str(data), "--start-seconds", "0.1", "--dead-seconds", "0.2"]


def wait_for_diagnosis(watch: Watch, run: int) -> int:
    """Of this run; the run's session."""
    seen = watch.wait("EngineSeen", run=run)
    wait_until(lambda: any(d["seq"] > seen["seq"] for d in watch.seen("DiagnosisMade")), "diagnosed", 60)
    time.sleep(SETTLED)
    return int(seen["process"]["pid"])


@pytest.mark.parametrize("fault", sorted(file.stem for file in VIEWS.glob("*.json")))
def test_it_is_seen_as_in_the_real_engine(tmp_path: Path, fault: str) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    run = 2 if fault in OF_A_START else 1  # the engine is killed, and its next start fails
    if run == 1:
        (tmp_path / "paramedic.yaml").write_text(OBSERVE)
    with watching(tmp_path) as start:
        watch = start("--target", url, "--", *practice(tmp_path / "data", port))
        watch.wait("StateChanged", after="serving")
        ask(watch.data, "practice", "break", fault)
        session = wait_for_diagnosis(watch, run)
        assert view(url, session, watch.entries, run) == kept(fault), watch.story()
        ask(watch.data, "practice", "mend")
