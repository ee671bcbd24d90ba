"""A fault of the practice engine looks to a watcher as the same fault of the real engine did."""

import socket
import sys
import time
from pathlib import Path

import pytest

from tests.integration.practice_engine import free_port, wait_until
from tests.integration.watching import Watch, ask, watching
from tests.views import OBSERVE, VIEWS, kept, view

SETTLED = 3.0  # seconds after the diagnosis; the practice engine dies faster than the real one
OF_THE_NEXT_START = {"local-model-path-missing", "unknown-or-invalid-argument", "weights-corrupt-or-truncated"}


def practice(data: Path, port: int) -> list[str]:
    """The command of a practice engine that starts and dies fast."""
    command = [sys.executable, "-m", "paramedic", "practice", "serve", "--port", str(port)]
    return [*command, "--data-dir", str(data), "--start-seconds", "0.1", "--dead-seconds", "0.2"]


def url(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def wait_for_diagnosis(watch: Watch, run: int) -> int:
    """Of this run; the run's session."""
    seen = watch.wait("EngineSeen", run=run)
    wait_until(lambda: any(d["seq"] > seen["seq"] for d in watch.seen("DiagnosisMade")), "diagnosed", 60)
    time.sleep(SETTLED)
    return int(seen["process"]["pid"])


@pytest.mark.parametrize("fault", sorted({file.stem for file in VIEWS.glob("*.json")} - {"port-in-use-api"}))
def test_it_is_seen_as_in_the_real_engine(tmp_path: Path, fault: str) -> None:
    port = free_port()
    run = 2 if fault in OF_THE_NEXT_START else 1  # the engine is killed, and its next start fails
    if run == 1:
        (tmp_path / "paramedic.yaml").write_text(OBSERVE)
    with watching(tmp_path) as start:
        watch = start("--target", url(port), "--", *practice(tmp_path / "data", port))
        watch.wait("StateChanged", after="serving")
        ask(watch.data, "practice", "break", fault)
        session = wait_for_diagnosis(watch, run)
        assert view(url(port), session, watch.entries, run) == kept(fault), watch.story()


def test_a_port_that_another_holds_is_seen_as_in_the_real_engine(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, watching(tmp_path) as start:
        port = int(other.getsockname()[1])
        watch = start("--target", url(port), "--", *practice(tmp_path / "data", port))
        session = wait_for_diagnosis(watch, 1)
        assert view(url(port), session, watch.entries) == kept("port-in-use-api"), watch.story()
