"""Commands as a shell calls them: arguments in, text and an exit code out."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from paramedic.adapters.storage.journal_sqlite import SqliteJournal
from paramedic.cli.main import main
from paramedic.journal.codec import Entry


@dataclass(frozen=True)
class Said:
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Say = Callable[..., Said]


@pytest.fixture
def paramedic(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Say:
    """Run one command; `folder` is its data folder."""
    for name in ("PARAMEDIC_CONFIG", "PARAMEDIC_DATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> Said:
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main(list(arguments))
        out, err = capsys.readouterr()
        return Said(int(stop.value.code or 0), out, err)

    return call


def write_journal(folder: Path, entries: list[Entry]) -> Path:
    """A data folder that holds these entries."""
    folder.mkdir(exist_ok=True)
    journal = SqliteJournal(folder / "journal.db")
    for entry in entries:
        journal.append(entry.at, [(entry.event, entry.because)])
    journal.close()
    return folder
