"""Every fault of the practice engine, injected into a watched one: alert, first cause, and the right hands-off."""

import time
from pathlib import Path
from typing import Any

import pytest

from paramedic.practice.faults import fault_ids
from tests.integration.practice_engine import cli, wait_until
from tests.integration.watching import Watch, ask, watching

pytestmark = [pytest.mark.long, pytest.mark.timeout(1500)]

CONFIG = """\
server: {port: 0}
interval: 1s
recovery: {hang_confirm: 30s, backoff: 2s}
"""
PATIENCE = 240.0  # seconds until the alert
QUIET = 20.0  # that nothing more is done after the outcome
LONGER = {"start-stalled": 800.0}  # nothing must have moved for ten minutes
SHORTER = {"start-slow": "45", "metrics-slow": "20"}  # --seconds
NONE_EXPECTED = 110.0  # so long a fault that is none must raise nothing
MOST_RESTARTS = {"restart": 1, "human": 1, "nothing": 0}  # of a start fault: the engine is killed first


class Story:
    """One fault on one watch, from its injection on."""

    def __init__(self, watch: Watch, fault: dict[str, Any]) -> None:
        self.watch = watch
        self.fault = fault
        self.began = time.time_ns()
        seconds = SHORTER.get(fault["id"])
        ask(watch.data, "practice", "break", fault["id"], *(("--seconds", seconds) if seconds else ()))

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [entry for entry in self.watch.seen(kind) if entry["at"] >= self.began]

    def alert(self) -> dict[str, Any] | None:
        """The expected one; without one expected, the first."""
        wanted = self.fault["alert"]
        fired = self.events("AlertFired")
        return next((one for one in fired if wanted in (None, one["alert"]["rule"])), None)

    def causes(self) -> list[str]:
        made = [entry["diagnosis"]["findings"] for entry in self.events("DiagnosisMade")]
        return [findings[0]["cause"] for findings in made if findings]

    def restarts(self) -> int:
        """Runs of the engine that were started; an action that finds no way to start one is none."""
        return len(self.events("EngineSeen"))

    def outcome(self) -> str:
        """What Paramedic has come to so far; "" while it is at it."""
        if self.events("HumanNeeded"):
            return "human"
        if any(entry["outcome"] == "done" for entry in self.events("ActionFinished")):
            return "restart"
        return ""

    def seconds(self, entry: dict[str, Any] | None) -> str:
        return f"{(entry['at'] - self.began) / 1e9:.1f} s" if entry else "-"

    def wait(self) -> None:
        """Until it has come to what is expected, or the time is over; then a while longer."""
        fault = self.fault
        if fault["alert"] is None:
            time.sleep(NONE_EXPECTED + float(SHORTER.get(fault["id"], fault["seconds"] or 0)))
            return

        def told() -> bool:
            assert self.watch.process.poll() is None, self.watch.story()
            return self.alert() is not None and fault["cause"] in self.causes()

        patience = LONGER.get(fault["id"], PATIENCE)
        _as_long_as(told, patience)
        if fault["outcome"] != "nothing":
            _as_long_as(lambda: self.outcome() == fault["outcome"], 90)
        time.sleep(QUIET)

    def cells(self, verdict: str) -> list[str]:
        alert, causes = self.alert(), self.causes()
        over = next(iter(self.events("IncidentResolved")), None)
        return [
            self.fault["id"],
            alert["alert"]["rule"] if alert else "-",
            self.seconds(alert),
            causes[-1] if causes else "-",
            self.outcome() or "nothing",
            self.seconds(over),
            str(self.restarts()),
            verdict,
        ]


def _as_long_as(condition: Any, patience: float) -> None:
    try:
        wait_until(condition, "", patience)
    except AssertionError:
        return  # what is missing, the judgement says


def judge(story: Story) -> list[str]:
    """Everything that is not as it must be."""
    fault, wrong = story.fault, []
    if fault["alert"] is None and story.events("AlertFired"):
        wrong.append("an alert, and nothing is wrong")
    if fault["alert"] is not None and story.alert() is None:
        wrong.append(f"no alert {fault['alert']}")
    if fault["alert"] is not None and fault["cause"] not in story.causes():
        wrong.append(f"cause {fault['cause']} was never first: {story.causes()}")
    if (story.outcome() or "nothing") != fault["outcome"]:
        wrong.append(f"outcome {story.outcome() or 'nothing'} instead of {fault['outcome']}")
    if fault["outcome"] == "nothing" and story.events("ActionStarted"):
        wrong.append("an action, and nothing was to be done")
    if story.restarts() > MOST_RESTARTS[fault["outcome"]]:
        wrong.append(f"{story.restarts()} restarts")
    if story.events("WorkFailed"):
        wrong.append(f"Paramedic's own trouble: {story.events('WorkFailed')[0]['error']}")
    return wrong


@pytest.mark.parametrize("fault", fault_ids())
def test_every_fault_is_told_and_treated_as_it_should(fault: str, tmp_path: Path, row: list[str]) -> None:
    (tmp_path / "paramedic.yaml").write_text(CONFIG)
    with watching(tmp_path) as start:
        watch: Watch = start("--for", "25m")
        watch.wait("StateChanged", 60, run=1, after="serving")
        known = ask(watch.data, "practice", "list")["faults"]
        time.sleep(5)
        try:
            story = Story(watch, next(one for one in known if one["id"] == fault))
            story.wait()
        finally:
            cli("mend", "--data-dir", str(watch.data))
        wrong = judge(story)
        row += story.cells("; ".join(wrong))
        print(*row, sep=" | ")
        assert wrong == [], watch.story()
