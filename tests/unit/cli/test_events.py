"""`paramedic events`: what of the journal is printed, and how."""

import json
from pathlib import Path

import pytest

from tests.fakes.night import EMBED, INCIDENT, QWEN, waits_for_a_person

from .conftest import Say, write_journal


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_journal(tmp_path / "data", waits_for_a_person())


def numbers(text: str) -> list[int]:
    return [int(line.split()[0]) for line in text.splitlines()]


def test_a_line_an_event_with_its_number_its_day_and_a_sentence(paramedic: Say, folder: Path) -> None:
    said = paramedic("events", "--data-dir", str(folder))
    assert (said.code, said.err) == (0, "")
    assert numbers(said.out) == sorted(numbers(said.out))
    [opened] = [line for line in said.out.splitlines() if f"{INCIDENT}  incident opened" in line]
    assert opened.split()[1].startswith("2026-11-2")
    assert "P0" in opened


def test_everything_for_machines(paramedic: Say, folder: Path) -> None:
    said = paramedic("events", "--json", "--data-dir", str(folder))
    events = [json.loads(line) for line in said.out.splitlines()]
    assert [event["seq"] for event in events] == [entry.seq for entry in waits_for_a_person()]
    assert {"seq", "at", "type", "because"} <= set(events[0])


def test_after_and_last(paramedic: Say, folder: Path) -> None:
    end = len(waits_for_a_person())
    said = paramedic("events", "--json", "--after", str(end - 3), "--data-dir", str(folder))
    assert [json.loads(line)["seq"] for line in said.out.splitlines()] == [end - 2, end - 1, end]
    said = paramedic("events", "--last", "2", "--data-dir", str(folder))
    assert len(said.out.splitlines()) == 2
    assert paramedic("events", "--last", "0", "--data-dir", str(folder)).out == ""
    assert paramedic("events", "--after", "100000", "--data-dir", str(folder)).out == ""


def test_of_one_server(paramedic: Say, folder: Path) -> None:
    said = paramedic("events", "--target", "BGE", "--json", "--data-dir", str(folder))
    types = {json.loads(line)["type"] for line in said.out.splitlines()}
    assert {"TargetAdded", "ActionRequested", "IncidentOpened", "HumanNeeded"} <= types
    assert "DaemonStarted" not in types
    assert QWEN.name not in said.out


def test_of_some_types(paramedic: Say, folder: Path) -> None:
    said = paramedic("events", "--type", "actionstarted", "--type", "AlertFired", "--json", "--data-dir", str(folder))
    assert {json.loads(line)["type"] for line in said.out.splitlines()} == {"ActionStarted", "AlertFired"}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--type", "ActionStartd"), "--type: there is no event 'ActionStartd'; did you mean 'ActionStarted'?"),
        (("--type", "x"), "--type: there is no event 'x'; they are: ActionApproved, "),
        (("--target", "qwne"), f"there is no server 'qwne'; watched are {QWEN.name}, {EMBED.name}"),
    ],
)
def test_what_is_not_there(paramedic: Say, folder: Path, arguments: tuple[str, ...], sentence: str) -> None:
    said = paramedic("events", *arguments, "--data-dir", str(folder))
    assert (said.code, said.out) == (2, "")
    assert sentence in said.err


def test_where_nothing_was_watched(paramedic: Say, tmp_path: Path) -> None:
    said = paramedic("events", "--data-dir", str(tmp_path))
    assert (said.code, said.out) == (3, "")
    assert "nothing has been watched yet" in said.err
