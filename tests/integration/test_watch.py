"""`paramedic watch` on the practice engine, with real processes: broken, repaired, left alone, handed over, ended."""

import signal
from pathlib import Path

from tests.integration.practice_engine import wait_until
from tests.integration.watching import Start, alive, ask, members


def test_a_killed_engine_comes_back_and_ctrl_c_leaves_nothing(start: Start, tmp_path: Path) -> None:
    watch = start()
    first = watch.serving()
    assert [row["state"] for row in ask(watch.data, "status")["targets"]] == ["serving"]
    ask(watch.data, "practice", "break", "engine-core-died")
    over = watch.wait("IncidentResolved", 60)
    second = watch.serving(2)
    assert members(first) == []
    assert watch.seen("ActionFinished")[0]["outcome"] == "done"
    assert watch.seen("DiagnosisMade")[0]["diagnosis"]["findings"][0]["cause"] == "engine-core-died"
    assert len(watch.seen("ActionStarted")) == 1

    assert watch.end(signal.SIGINT) == 0
    assert members(second) == []
    [incident] = ask(watch.data, "incidents")
    assert (incident["id"], incident["open"]) == (over["incident"], False)
    told = [event["type"] for event in ask(watch.data, "explain")["events"]]
    assert {"StateChanged", "AlertFired", "DiagnosisMade", "ActionStarted", "ActionFinished"} <= set(told)
    assert ask(watch.data, "status", ok=(3,))["daemon_pid"] is None


def test_a_missing_model_is_one_start_attempt_and_a_person(start: Start) -> None:
    watch = start()
    watch.serving()
    ask(watch.data, "practice", "break", "local-model-path-missing")
    needed = watch.wait("HumanNeeded", 60)
    assert "folder" in needed["reason"]["en"]
    seen = len(watch.entries)
    wait_until(lambda: ask(watch.data, "status", ok=(1,))["needs_human"] != [], "the status says so")
    assert len(watch.seen("ActionStarted")) <= 1, watch.story()
    assert len(watch.seen("EngineSeen")) <= 2, watch.story()
    assert not [e for e in watch.entries[seen:] if e["type"] == "ActionRequested"]
    causes = [made["diagnosis"]["findings"][0]["cause"] for made in watch.seen("DiagnosisMade")]
    assert causes[-1] == "local-model-path-missing"


def test_sigterm_hands_the_engine_over_and_stop_ends_both(start: Start) -> None:
    watch = start()
    engine = watch.serving()
    assert watch.end(signal.SIGTERM) == 0
    assert watch.seen("DaemonStopped")[0]["engines_left"] != []
    assert alive(engine)

    again = start()
    wait_until(lambda: bool(again.seen("DaemonStarted")), "the next watch")
    wait_until(lambda: (again.data / "daemon.json").exists(), "it answers")
    wait_until(lambda: ask(again.data, "status", ok=(0, 1, 3))["daemon_pid"] == again.process.pid, "it watches")
    [row] = [one for one in ask(again.data, "status", ok=(0, 1, 3))["targets"] if one["pid"] == engine]
    assert row["run"] == 1
    assert again.seen("EngineSeen") == [], again.story()
    ask(again.data, "stop")
    assert again.process.wait(30) == 0
    assert members(engine) == []


def test_a_second_watch_only_looks_and_leaving_it_stops_nothing(start: Start) -> None:
    watch = start()
    engine = watch.serving()
    second = start()
    wait_until(lambda: str(watch.process.pid) in second.err.read_text("utf-8"), "it says whom it is attached to")
    assert second.end(signal.SIGINT) == 0
    assert watch.process.poll() is None
    assert alive(engine)


def test_ask_mode_waits_for_approval(start: Start, tmp_path: Path) -> None:
    (tmp_path / "paramedic.yaml").write_text("server: {port: 0}\ninterval: 1s\nmodes: {started: ask}\n")
    watch = start()
    watch.serving()
    ask(watch.data, "practice", "break", "engine-core-died")
    request = watch.wait("ActionRequested")
    assert request["needs_approval"]
    assert watch.seen("ActionStarted") == []
    ask(watch.data, "approve", request["action"], "--as", "li.wei")
    watch.wait("IncidentResolved", 60)
    assert watch.seen("ActionApproved")[0]["by"] == "li.wei"
    assert watch.seen("ActionFinished")[0]["outcome"] == "done"
