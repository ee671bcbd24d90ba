"""The shell offers ids from the data folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.night import ASKED, DEAD, EMBED, INCIDENT, OTHER_INCIDENT, QWEN, RESTART, waits_for_a_person

from .conftest import write_journal


def offered(folder: Path, words: str) -> list[str]:
    """What bash is offered for the last of `words`, as click's mechanism asks for it."""
    environ = os.environ | {
        "_PARAMEDIC_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
        "PARAMEDIC_DATA": str(folder),
    }
    program = [sys.executable, "-c", "import sys; sys.argv[0] = 'paramedic'; import paramedic.cli.main as m; m.main()"]
    done = subprocess.run(program, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    return [line.split(",", 1)[1] for line in done.stdout.splitlines() if line]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_journal(tmp_path / "data", waits_for_a_person())


def test_ids_to_explain_the_latest_first(folder: Path) -> None:
    names = offered(folder, "paramedic explain ")
    assert names[:2] == [OTHER_INCIDENT, INCIDENT]
    assert {RESTART, ASKED, DEAD} <= set(names)
    assert offered(folder, "paramedic explain inc") == [OTHER_INCIDENT, INCIDENT]


def test_only_what_waits_can_be_approved(folder: Path) -> None:
    assert offered(folder, "paramedic approve ") == [ASKED]
    assert offered(folder, "paramedic reject ACT") == [ASKED]


def test_servers_under_watch(folder: Path) -> None:
    assert offered(folder, "paramedic hold ") == [QWEN.name, EMBED.name]
    assert offered(folder, "paramedic restart qw") == [QWEN.name]


def test_without_a_journal_nothing_is_offered(tmp_path: Path) -> None:
    assert offered(tmp_path, "paramedic explain ") == []


def test_commands(tmp_path: Path) -> None:
    assert offered(tmp_path, "paramedic inc") == ["incidents"]
