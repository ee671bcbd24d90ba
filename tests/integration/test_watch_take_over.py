"""An engine that a `paramedic watch` left running, and the watches that come after it."""

import signal
import sys
from pathlib import Path

from tests.integration.practice_engine import wait_until
from tests.integration.pretend import free_port, write_vllm
from tests.integration.watching import Watch, alive, members, watching


def test_it_is_taken_over_by_the_same_command_and_by_no_other(tmp_path: Path) -> None:
    command = ["--", sys.executable, str(write_vllm(tmp_path)), "serve", "m", "--port", str(free_port())]
    with watching(tmp_path) as start:
        first: Watch = start(*command)
        engine = int(first.wait("EngineSeen")["process"]["pid"])
        assert first.end(signal.SIGTERM) == 0
        assert alive(engine)

        other: Watch = start(*command, "--max-num-seqs", "4")
        assert other.process.wait(60) == 2
        assert "runs already, started with other arguments" in other.err.read_text("utf-8")
        assert alive(engine)

        again: Watch = start(*command)
        again.wait("DaemonStarted")
        wait_until(lambda: (again.data / "daemon.json").exists(), "it watches")
        assert alive(engine)
        assert again.end(signal.SIGINT) == 0
        assert again.seen("EngineSeen") == [], again.story()
        assert members(engine) == []
