"""`paramedic diagnose --target` on a server that nobody watches: healthy, hung, and gone with its engine left over."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.integration.practice_engine import PracticeEngine, cli, practice_engine, wait_until
from tests.integration.watching import Start, ask


def diagnose(engine: PracticeEngine, *options: str, code: int) -> Any:
    command = [sys.executable, "-m", "paramedic", "diagnose", "--target", engine.url, "--json", *options]
    command += ["--data-dir", str(engine.data_dir / "nothing")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_healthy(tmp_path: Path) -> None:
    with practice_engine(tmp_path / "engine") as engine:
        engine.ready()
        answer = diagnose(engine, "--for", "2s", code=0)
        assert answer["verdict"] == "healthy"
        assert all("GPU" in text for text in answer["missing"])


def test_hung(tmp_path: Path) -> None:
    """/health says 200, nothing moves: one token is asked for and does not come."""
    with practice_engine(tmp_path / "engine") as engine:
        engine.ready()
        wait_until(lambda: engine.metric("vllm:generation_tokens_total") > 0, "it works")
        assert cli("break", "engine-hung", "--url", engine.url, "--data-dir", str(engine.data_dir)).returncode == 0
        answer = diagnose(engine, "--for", "16s", code=1)
        first = answer["findings"][0]
        assert first["cause"] == "engine-hung"
        assert "state silent" in [one["text"] for one in first["evidence"]]


def test_gone_with_its_engine_left_over(start: Start) -> None:
    """Known from a watch that has ended since."""
    watch = start()
    server = watch.serving()
    assert watch.end(signal.SIGTERM) == 0
    os.kill(server, signal.SIGKILL)
    answer = ask(watch.data, "diagnose", "--target", "practice", "--for", "1s", ok=(1,))
    causes = [one["cause"] for one in answer["findings"]]
    assert "orphan-workers-hold-gpu" in causes
