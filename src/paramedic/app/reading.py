"""Reading a data folder, whether a daemon runs on it or not."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from paramedic.adapters.storage.journal_sqlite import SqliteJournal
from paramedic.adapters.storage.samples_sqlite import SqliteSamples
from paramedic.app.folder import DataFolder
from paramedic.journal.codec import Entry
from paramedic.journal.fold import fold
from paramedic.journal.views import View
from paramedic.knowledge.lexicon import load_vocabulary
from paramedic.model.errors import CouldNotTell
from paramedic.pipeline.board import Board, BoardMaker
from paramedic.signals.evaluate import Evaluator


def need_journal(folder: Path) -> Path:
    """Where the journal of that folder is; CouldNotTell where there is none."""
    journal = DataFolder(folder).journal
    if not journal.exists():
        raise CouldNotTell(f"nothing has been watched yet: there is no journal in {folder}. Start `paramedic watch`.")
    return journal


def read_entries(folder: Path, after: int = 0) -> Iterator[Entry]:
    """Every entry of the journal above `after`; CouldNotTell where there is none."""
    journal = SqliteJournal(need_journal(folder), read_only=True)
    try:
        yield from journal.read(after)
    finally:
        journal.close()


def read_view(folder: Path) -> View:
    """The view of all of it; `daemon_pid` is None when nobody watches now, whatever the journal says."""
    view = fold(read_entries(folder))
    if not DataFolder(folder).is_held():
        view.daemon_pid = None
    return view


def read_board(folder: Path, now_ns: int) -> Board:
    """The glance, from the journal and the samples on the disk."""
    view = read_view(folder)
    samples = SqliteSamples.open_read_only(DataFolder(folder).samples)
    try:
        board = BoardMaker(Evaluator(samples, load_vocabulary())).board(view, now_ns)
    finally:
        samples.close()
    return board if view.daemon_pid is not None else replace(board, daemon_pid=None)
