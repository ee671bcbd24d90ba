"""Every fault is found by its name, speaks both languages, and says what a watcher must make of it."""

from pathlib import Path

import pytest

from paramedic.cli import practice
from paramedic.cli.main import COMMANDS
from paramedic.model.errors import UsageError
from paramedic.practice import log
from paramedic.practice.fault import Fault, Outcome
from paramedic.practice.fault_kinds import StartFault
from paramedic.practice.faults import all_faults, fault_ids, find_fault
from paramedic.practice.troubles import Manner, Stage

KNOWLEDGE = Path(practice.__file__).parents[1] / "knowledge"
PAGE = Path(__file__).parents[3] / "docs" / "reference" / "practice.md"


def test_the_command_offers_every_fault() -> None:
    assert tuple(fault_ids()) == practice.FAULT_IDS
    assert practice.command.get_short_help_str(limit=200) == COMMANDS["practice"]


@pytest.mark.parametrize("fault", all_faults(), ids=fault_ids())
def test_it_has_its_name_and_its_words(fault: Fault) -> None:
    assert find_fault(fault.id) is fault
    assert f"| `{fault.id}` |" in PAGE.read_text("utf-8"), "it is in the reference"
    for text in (fault.title, fault.summary):
        assert text.en
        assert any("一" <= character <= "鿿" for character in text.zh)


@pytest.mark.parametrize("fault", all_faults(), ids=fault_ids())
def test_what_a_watcher_must_make_of_it_is_known_to_watchers(fault: Fault) -> None:
    alert, cause = fault.expected.alert, fault.expected.cause
    assert alert is None or (KNOWLEDGE / "rules" / f"{alert}.yml").is_file()
    for right in filter(None, (cause, *fault.expected.also)):
        assert (KNOWLEDGE / "faults" / f"{right}.yaml").is_file()
    if alert is None:
        assert (cause, fault.expected.also, fault.expected.outcome) == (None, (), Outcome.NOTHING)


@pytest.mark.parametrize("fault", [one for one in all_faults() if isinstance(one, StartFault)], ids=lambda one: one.id)
def test_a_start_that_fails_has_its_log_lines(fault: StartFault) -> None:
    lines = Path(log.__file__).parent / "log_lines" / f"{fault.id}.txt"
    assert lines.is_file() == (fault.manner is Manner.FAILS and fault.stage is not Stage.ARGUMENTS)


def test_an_unknown_one_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="engine-hung"):
        find_fault("engine-sleepy")
