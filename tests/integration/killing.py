"""kill -9 of `paramedic watch` in the middle of an incident, and what must hold whatever the moment was."""

import json
import os
import signal
import sqlite3
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from paramedic.adapters.storage.journal_sqlite import SqliteJournal
from paramedic.journal.codec import document
from tests.integration.practice_engine import wait_until
from tests.integration.watching import Watch, ask, watching

CONFIG = """\
server: {port: 0}
interval: 1s
recovery: {hang_confirm: 30s, backoff: 1s, budget: 20}
"""
PATIENCE = 150.0  # seconds; a hung engine is ended after half a minute

Entry = dict[str, Any]


def kill_and_go_on(
    folder: Path,
    fault: str,
    moments: list[float],
    *,
    by: signal.Signals = signal.SIGKILL,
    until_resolved: bool = True,
) -> list[Entry]:
    """One incident: a practice engine is broken, and `watch` is killed so many seconds after its begin, again and
    again. The journal of it, when all that must hold has held.

    An alert that was taken over is looked at for 20 s before it is over; without `until_resolved` nobody waits for it.
    """
    folder.mkdir(exist_ok=True)
    (folder / "paramedic.yaml").write_text(CONFIG)
    with watching(folder) as start:
        watch = start()
        watch.wait("StateChanged", 60, run=1, after="serving")
        ask(watch.data, "practice", "break", fault)
        watches = [watch]
        for moment in moments:
            _let_pass(watch, moment)
            _kill(watch, by)
            watch = start()
            watches.append(watch)
        _wait_until_over(watch, until_resolved)
        assert watch.end() == 0, watch.story()
        journal = journal_of(watch.data)
        _check(journal, watches, watch.story())
        if until_resolved:
            _check_resolved(journal)
        return journal


def _let_pass(watch: Watch, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        _check_one_engine(watch)
        time.sleep(0.02)


def _kill(watch: Watch, by: signal.Signals) -> None:
    assert watch.process.poll() is None, watch.story()
    watch.process.send_signal(by)
    watch.process.wait(60)


def _wait_until_over(watch: Watch, until_resolved: bool) -> None:
    def over() -> bool:
        _check_one_engine(watch)
        assert watch.process.poll() is None, watch.story()
        if not watch.has_begun():
            return False
        board = ask(watch.data, "status", ok=(0, 1, 3))
        if [row["state"] for row in board["targets"]] != ["serving"] or board["actions"][-1:] == []:
            return False
        incidents = ask(watch.data, "incidents")
        at_work = board["actions"][-1]["status"] not in ("done", "unknown")
        return bool(incidents) and not at_work and not (until_resolved and any(one["open"] for one in incidents))

    try:
        wait_until(over, "the incident is over", PATIENCE)
    except AssertionError as problem:
        told = "\n".join(json.dumps(entry)[:240] for entry in journal_of(watch.data)[-40:])
        raise AssertionError(f"{problem}\n{told}\n{watch.story()}") from None


def journal_of(data: Path) -> list[Entry]:
    """Every entry, after SQLite itself has found the file whole."""
    with sqlite3.connect(data / "journal.db") as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    db.close()
    store = SqliteJournal(data / "journal.db", read_only=True)
    try:
        return [json.loads(json.dumps(document(entry))) for entry in store.read()]
    finally:
        store.close()


def _check_one_engine(watch: Watch) -> None:
    alive = sessions(watch.data)
    assert len(alive) <= 1, f"two engines at once: {alive}\n{watch.story()}"


def sessions(data: Path) -> set[int]:
    """The sessions of the living processes whose output goes into a log of an engine of this data folder."""
    found = set()
    logs = str(data.resolve() / "engines") + "/"
    for pid in psutil.pids():
        with suppress(OSError):
            if str(Path(f"/proc/{pid}/fd/1").readlink()).startswith(logs):
                found.add(os.getsid(pid))
    return found


def _check(journal: list[Entry], watches: list[Watch], story: str) -> None:
    by_number = {entry["seq"]: entry for entry in journal}
    for watch in watches:
        for told in watch.entries:
            assert by_number.get(told["seq"]) == told, f"told and not kept: {told}\n{story}"

    def names(kind: str, field: str) -> list[Any]:
        return [entry[field] for entry in journal if entry["type"] == kind]

    started = names("ActionStarted", "action")
    assert len(started) == len({*started}), f"begun twice: {started}\n{story}"
    assert sorted(started) == sorted(names("ActionFinished", "action")), f"begun without an end\n{story}"
    runs = names("EngineSeen", "run")
    logs = sorted((watches[0].data / "engines").glob("*/logs/run-*.log"))
    assert runs == list(range(1, len(logs) + 1)), f"started {len(logs)} times, written down {runs}\n{story}"
    for log in logs:
        assert log.read_text(errors="replace").count("non-default args") <= 1, f"{log.name}: started twice"
    assert names("WorkFailed", "work") == [], story


def _check_resolved(journal: list[Entry]) -> None:
    opened = [entry["incident"] for entry in journal if entry["type"] == "IncidentOpened"]
    assert sorted(opened) == sorted(entry["incident"] for entry in journal if entry["type"] == "IncidentResolved")
