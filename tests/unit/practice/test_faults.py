"""Every fault is found by its name, speaks both languages, and is offered by the command."""

import pytest

from paramedic.cli import practice
from paramedic.cli.main import COMMANDS
from paramedic.model.errors import UsageError
from paramedic.practice.faults import fault_ids, find_fault


def test_the_command_offers_every_fault() -> None:
    assert tuple(fault_ids()) == practice.FAULT_IDS
    assert practice.command.get_short_help_str(limit=200) == COMMANDS["practice"]


@pytest.mark.parametrize("fault", fault_ids())
def test_it_has_its_words(fault: str) -> None:
    for text in (find_fault(fault).TITLE, find_fault(fault).SUMMARY):
        assert text.en
        assert any("一" <= character <= "鿿" for character in text.zh)


def test_an_unknown_one_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="engine-hung"):
        find_fault("engine-sleepy")
