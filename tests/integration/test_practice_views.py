"""A fault of the practice engine looks to a watcher as the same fault of the real engine did."""

import socket
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.integration.practice_engine import free_port, wait_until
from tests.integration.watching import Watch, ask, watching
from tests.views import OBSERVE, VIEWS, kept, view

SETTLED = 3.0  # seconds after the diagnosis; the practice engine dies faster than the real one
QUIET = 15.0  # seconds in which what is no fault has to raise nothing
OF_THE_NEXT_START = {
    "kv-cache-smaller-than-max-model-len",
    "local-model-path-missing",
    "unknown-or-invalid-argument",
    "weights-corrupt-or-truncated",
}
NO_FAULT = {"clients-disconnect", "server-never-exits-on-sigterm", "short-stall"}
CROWDS = {"kv-cache-preemption": "preemptions", "request-queue-saturated": "requests-queueing"}
PATIENCE = 240.0  # seconds; an alert on a crowd takes its minutes


def practice(data: Path, port: int) -> list[str]:
    """The command of a practice engine that starts and dies fast."""
    command = [sys.executable, "-m", "paramedic", "practice", "serve", "--port", str(port)]
    return [*command, "--data-dir", str(data), "--start-seconds", "0.1", "--dead-seconds", "0.2"]


def url(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def wait_for_diagnosis(watch: Watch, run: int, alert: str = "") -> int:
    """Of this run, after this alert; the run's session."""
    seen = watch.wait("EngineSeen", run=run)

    def diagnosed() -> bool:
        fired = [one["seq"] for one in watch.seen("AlertFired") if alert in ("", one["alert"]["rule"])]
        after = max(seen["seq"], *fired[:1]) if fired else None
        return after is not None and any(one["seq"] > after for one in watch.seen("DiagnosisMade"))

    wait_until(diagnosed, "diagnosed", PATIENCE if alert else 60)
    time.sleep(SETTLED)
    return int(seen["process"]["pid"])


def faults() -> list[Any]:
    """All that is kept of the real engine; a port in use has its own test."""
    kept_faults = sorted({file.stem for file in VIEWS.glob("*.json")} - {"port-in-use-api"})
    marks = [pytest.mark.long, pytest.mark.timeout(400)]
    return [pytest.param(fault, marks=marks if fault in CROWDS else ()) for fault in kept_faults]


@pytest.mark.parametrize("fault", faults())
def test_it_is_seen_as_in_the_real_engine(tmp_path: Path, fault: str) -> None:
    port = free_port()
    run = 2 if fault in OF_THE_NEXT_START else 1  # the engine is killed, and its next start fails
    if run == 1:
        (tmp_path / "paramedic.yaml").write_text(OBSERVE)
    with watching(tmp_path) as start:
        watch = start("--for", "6m", "--target", url(port), "--", *practice(tmp_path / "data", port))
        watch.wait("StateChanged", after="serving")
        ask(watch.data, "practice", "break", fault)
        if fault in NO_FAULT:
            session = int(watch.wait("EngineSeen", run=run)["process"]["pid"])
            time.sleep(QUIET)
        else:
            session = wait_for_diagnosis(watch, run, CROWDS.get(fault, ""))
        seen = view(url(port), session, watch.entries, run, CROWDS.get(fault, ""))
        assert seen == kept(fault), watch.story()


def test_a_port_that_another_holds_is_seen_as_in_the_real_engine(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, watching(tmp_path) as start:
        port = int(other.getsockname()[1])
        watch = start("--target", url(port), "--", *practice(tmp_path / "data", port))
        session = wait_for_diagnosis(watch, 1)
        assert view(url(port), session, watch.entries) == kept("port-in-use-api"), watch.story()
