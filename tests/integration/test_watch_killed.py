"""`paramedic watch` is killed three times in one incident; the incident goes on. `make test-long` tries fifty."""

from pathlib import Path

from tests.integration.killing import kill_and_go_on


def test_killed_three_times_the_incident_goes_on(tmp_path: Path) -> None:
    journal = kill_and_go_on(tmp_path / "one", "engine-core-died", [0.4, 1.5, 2.5], until_resolved=False)
    assert [e["outcome"] for e in journal if e["type"] == "ActionFinished"][-1] == "done"
