"""A real `paramedic watch` that is stopped for a while, and one whose disk is full: it says so and goes on."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.integration.full_disk import small_disk
from tests.integration.killing import journal_of
from tests.integration.practice_engine import wait_until
from tests.integration.watching import Watch, ask, watching

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

CONFIG = "server: {port: 0}\ninterval: 1s\nrecovery: {hang_confirm: 30s}\n"


def test_stopped_for_five_minutes_it_says_so_and_judges_nothing(tmp_path: Path) -> None:
    (tmp_path / "paramedic.yaml").write_text(CONFIG)
    with watching(tmp_path) as start:
        watch: Watch = start("--for", "15m")
        watch.wait("StateChanged", 60, after="serving")
        time.sleep(10)
        os.kill(watch.process.pid, signal.SIGSTOP)
        time.sleep(300)
        os.kill(watch.process.pid, signal.SIGCONT)
        late = watch.wait("DaemonWasLate", 60)
        assert 290 < late["seconds"] < 330
        time.sleep(60)
        assert watch.seen("AlertFired") == [], watch.story()
        assert watch.seen("ClockWasSet") == [], watch.story()
        ask(watch.data, "practice", "break", "engine-core-died")
        watch.wait("IncidentResolved", 120)
        assert watch.end() == 0


def test_on_a_full_disk_it_waits_with_the_restart_and_loses_nothing(tmp_path: Path) -> None:
    (tmp_path / "paramedic.yaml").write_text(CONFIG)
    with small_disk(tmp_path / "data", 48) as disk, watching(tmp_path) as start:
        watch: Watch = start("--for", "10m")
        watch.wait("StateChanged", 60, after="serving")
        disk.fill()
        watch.wait("WorkFailed", 60, work="samples")
        ask(watch.data, "practice", "break", "engine-core-died")
        watch.wait("WorkFailed", 60, work="journal")
        watch.wait("ActionRequested", 60)
        time.sleep(10)
        assert watch.process.poll() is None, watch.story()
        assert watch.seen("ActionStarted") == [], watch.story()
        disk.empty()
        watch.wait("IncidentResolved", 120)
        told = watch.entries
        assert watch.end() == 0, watch.story()
        wait_until(lambda: watch.process.poll() is not None, "it has ended")
        kept = {entry["seq"]: entry for entry in journal_of(watch.data)}
        assert all(kept[entry["seq"]] == entry for entry in told)
