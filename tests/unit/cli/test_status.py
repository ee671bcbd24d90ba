"""`paramedic status`: what is not evaluated is not fine."""

import dataclasses
from pathlib import Path

import pytest

from paramedic.cli.status import exit_code
from paramedic.model.target import EngineState, Mode
from paramedic.model.text import Text
from paramedic.pipeline.board import AlertRow, Board, TargetRow
from tests.fakes.night import DEAD, QWEN, crash_and_restart

from .conftest import Say, write_journal

WORDS = Text("x", "x")


def row(state: EngineState) -> TargetRow:
    return TargetRow("a", "http://a", "", state, 1, "", Mode.ACT, False, 1, None, "", figures_age=2.0)


def board(*states: EngineState, pid: int | None = 1) -> Board:
    return Board(1, "0.1.0", pid, tuple(row(state) for state in states), (), (), (), ())


GOOD = (EngineState.SERVING, EngineState.STARTING, EngineState.SLEEPING, EngineState.STOPPED)


@pytest.mark.parametrize("state", list(EngineState))
def test_each_state(state: EngineState) -> None:
    unseen = (EngineState.UNKNOWN, EngineState.OUT_OF_REACH)
    expected = 0 if state in GOOD else 3 if state in unseen else 1
    assert exit_code(board(EngineState.SERVING, state)) == expected


def test_nobody_watches_or_nothing_is_watched() -> None:
    assert exit_code(board(EngineState.SERVING, pid=None)) == 3
    assert exit_code(board()) == 3


def test_a_server_that_answers_without_figures_cannot_be_judged() -> None:
    blank = dataclasses.replace(row(EngineState.SERVING), figures_age=None)
    assert exit_code(dataclasses.replace(board(), targets=(row(EngineState.SERVING), blank))) == 3


def test_what_was_wrong_when_the_watch_ended_still_is() -> None:
    assert exit_code(board(EngineState.DEAD, pid=None)) == 1


def test_an_alert_or_a_need_outweighs_everything() -> None:
    alert = AlertRow("a", "a", "a", "P4", "warning", WORDS, 1, 2, "", None)
    assert exit_code(dataclasses.replace(board(EngineState.SERVING), alerts=(alert,))) == 1
    assert exit_code(dataclasses.replace(board(pid=None), needs_human=(("INC", WORDS),))) == 1


def test_a_folder_where_nothing_was_ever_watched(paramedic: Say, tmp_path: Path) -> None:
    said = paramedic("status", "--data-dir", str(tmp_path / "none"))
    assert (said.code, said.out) == (3, "")
    assert said.err == (
        f"paramedic: nothing has been watched yet: there is no journal in {tmp_path / 'none'}. "
        "Start `paramedic watch`.\n"
    )


def test_after_the_watch_has_ended(paramedic: Say, tmp_path: Path) -> None:
    folder = str(write_journal(tmp_path / "data", crash_and_restart()))
    said = paramedic("status", "--data-dir", folder, "--lang", "zh")
    assert said.code == 1  # the other server's alert still fires
    assert "现在无人看护" in said.out
    machine = paramedic("status", "--data-dir", folder, "--json")
    assert machine.code == 1
    assert machine.json["daemon_pid"] is None
    assert [target["state"] for target in machine.json["targets"] if target["name"] == QWEN.name] == ["sleeping"]
    assert DEAD not in [alert["id"] for alert in machine.json["alerts"]]
    assert machine.json["targets"][0]["ttft_p50"] is None
