"""An engine that somebody else started is found, watched, and left running."""

import signal
from pathlib import Path

from tests.integration.practice_engine import free_port, practice_engine, wait_until
from tests.integration.watching import alive, watching


def test_a_running_engine_is_found_observed_and_left_alone(tmp_path: Path) -> None:
    """Other engines may run on this machine: only ours is looked at here."""
    with practice_engine(tmp_path / "its-data", port=free_port()) as engine, watching(tmp_path) as start:
        engine.ready()
        watch = start("--discovery", "--no-practice")
        url = engine.url
        wait_until(lambda: any(e["target"]["url"] == url for e in watch.seen("TargetAdded")), "found", 45)
        [target] = [e["target"] for e in watch.seen("TargetAdded") if e["target"]["url"] == url]
        assert (target["origin"], target["mode"], target["model"]) == ("found", "observe", "practice")
        watch.wait("StateChanged", target=target["name"], after="serving")
        [seen] = watch.seen("EngineSeen", target=target["name"])
        assert (seen["process"]["pid"], seen["started_by_us"]) == (engine.process.pid, False)
        assert watch.end(signal.SIGINT) == 0
        assert alive(engine.process.pid)
        assert engine.health() == 200
