"""A person's hand on a real watch: hold, resume, restart, and the journal followed meanwhile."""

import json
import signal
import subprocess
from pathlib import Path

from tests.integration.practice_engine import free_port, wait_until
from tests.integration.watching import PARAMEDIC, Start, Watch, alive, ask, members


def name_of(watch: Watch) -> str:
    return str(watch.seen("TargetAdded")[0]["target"]["name"])


def test_a_held_engine_stays_dead_also_for_the_next_watch_until_resume(start: Start, tmp_path: Path) -> None:
    port = str(free_port())
    engine = [*PARAMEDIC, "practice", "serve", "--port", port, "--data-dir", str(tmp_path / "data")]
    command = ("--target", f"http://127.0.0.1:{port}", "--name", "qwen@here", "--", *engine)
    watch = start(*command)
    watch.serving()
    name = name_of(watch)
    held = ask(watch.data, "hold", "qwen", "--as", "li.wei", "--reason", "profiling")
    assert (held["target"], held["until"], held["under_way"]) == (name, None, [])
    ask(watch.data, "practice", "break", "engine-core-died")
    watch.wait("DiagnosisMade", 60)
    assert watch.end(signal.SIGTERM) == 0
    assert watch.seen("ActionRequested") == []

    again = start(*command)
    again.wait("DaemonStarted")
    wait_until(lambda: (again.data / "daemon.json").exists(), "it answers")
    wait_until(lambda: ask(again.data, "status", ok=(0, 1, 3))["daemon_pid"] == again.process.pid, "it watches")
    [row] = ask(again.data, "status", ok=(1,))["targets"]
    assert (row["hold"]["by"], row["hold"]["reason"]["en"]) == ("li.wei", "profiling")
    assert again.seen("ActionRequested") + again.seen("EngineSeen") == []
    refused = subprocess.run(
        [*PARAMEDIC, "restart", name, "--yes", "--data-dir", str(again.data)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert refused.returncode == 2
    assert f"{name} is held by li.wei since" in refused.stderr

    ask(again.data, "resume", name, "--as", "wang")
    again.wait("IncidentResolved", 90)
    assert again.seen("ActionFinished")[0]["outcome"] == "done"
    assert again.seen("TargetResumed")[0]["by"] == "wang"


def test_a_working_engine_is_restarted_by_hand_while_somebody_follows(start: Start, tmp_path: Path) -> None:
    watch = start()
    first = watch.serving()
    name = name_of(watch)
    followed = tmp_path / "followed"
    with followed.open("wb") as out:
        command = [*PARAMEDIC, "events", "--follow", "--target", name, "--json", "--data-dir", str(watch.data)]
        follower = subprocess.Popen(command, stdout=out, stderr=subprocess.PIPE)
    try:
        wait_until(lambda: "TargetAdded" in followed.read_text("utf-8"), "it shows what was before")
        end = ask(watch.data, "restart", "practice", "--yes", "--as", "li.wei", "--reason", "new weights")
        assert (end["status"], end["target"]) == ("done", name)
        assert "verified by a token" in end["detail"]["en"]
        wait_until(lambda: "ActionFinished" in followed.read_text("utf-8"), "the follower sees it")
        assert follower.poll() is None
        follower.send_signal(signal.SIGINT)
        _, errors = follower.communicate(timeout=30)
    finally:
        follower.kill()
        follower.communicate()
    assert (follower.returncode, errors) == (0, b"")
    types = [json.loads(line)["type"] for line in followed.read_text("utf-8").splitlines()]
    asked = types.index("ActionRequested")
    assert types[asked + 1] == "ActionStarted"
    assert {"ActionProgressed", "EngineSeen", "ActionFinished"} <= set(types[asked:])

    second = int(watch.seen("EngineSeen", run=2)[0]["process"]["pid"])
    assert members(first) == []
    assert alive(second)
    assert watch.seen("ActionRequested")[0]["by"] == "li.wei"
    assert watch.seen("AlertFired") == []
    assert watch.end(signal.SIGINT) == 0
    shown = subprocess.run(
        [*PARAMEDIC, "events", "--type", "ActionFinished", "--data-dir", str(watch.data)],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert "done: serving again after" in shown.stdout  # nobody watches any more
