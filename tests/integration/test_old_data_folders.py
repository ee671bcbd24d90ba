"""A data folder of another version: an older one is brought up to date, a newer one is refused untouched."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from paramedic.adapters.storage import formats
from paramedic.adapters.storage.formats import NewerFormat
from paramedic.adapters.storage.journal_sqlite import SqliteJournal
from paramedic.adapters.storage.samples_sqlite import SqliteSamples
from paramedic.journal.codec import UnknownEvent, document
from paramedic.journal.events import ActionStarted, TargetRemoved
from paramedic.journal.fold import fold
from paramedic.model.errors import CouldNotTell
from paramedic.model.sample import Scrape, label_set
from tests.fakes.night import INCIDENT

RECORDED = Path(__file__).parents[1] / "recordings" / "journal-format-1.db"  # by the first version, as it was then
NOON = 1_700_049_600 * 10**9


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return Path(shutil.copy(RECORDED, tmp_path / "journal.db"))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.endswith("-shm")}


def sql(path: Path, *statements: str) -> None:
    db = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        db.execute(statement)
    db.close()


def version_of(path: Path) -> int:
    db = formats.open_read_only(path)
    try:
        return formats.version_of(db)
    finally:
        db.close()


def test_an_old_journal_says_what_it_always_said(old: Path) -> None:
    journal = SqliteJournal(old)
    *night, gone, tea = journal.read()
    journal.close()
    assert len(night) == 36
    assert not [e for e in night if isinstance(e.event, UnknownEvent)]
    assert {e.because for e in night if e.because} < {e.seq for e in night}
    assert isinstance(gone.event, TargetRemoved)  # its field that nobody knows any more is left out
    assert isinstance(tea.event, UnknownEvent)
    place = {"seq": tea.seq, "at": tea.at, "because": tea.because}
    assert document(tea) == {**place, "type": "TeaMade", "v": 1, "cups": 2, "by": "li.wei"}
    assert INCIDENT in fold([*night, gone, tea]).incidents


def test_it_is_brought_up_to_date_and_kept_as_it_was(old: Path) -> None:
    SqliteJournal(old).close()
    assert version_of(old) == formats.newest("journal") > 1
    kept = formats.copy_of(old, 1)
    assert (kept.name, version_of(kept), kept.stat().st_mode & 0o777) == ("journal-format-1.db", 1, 0o600)
    count = sqlite3.connect(kept)
    assert count.execute("SELECT count(*) FROM entries").fetchone() == (38,)
    count.close()
    kept.unlink()
    journal = SqliteJournal(old)  # now it is one of ours: nothing is copied
    journal.append(1, [(ActionStarted("ACT-0009"), None)])
    journal.close()
    assert not kept.exists()


def test_who_only_looks_leaves_an_old_journal_as_it_is(old: Path) -> None:
    before = contents(old.parent)
    journal = SqliteJournal(old, read_only=True)
    assert len(list(journal.read())) == 38
    assert len(list(journal.read(after=30))) == 8
    journal.close()
    assert contents(old.parent) == before


def test_a_step_that_fails_leaves_the_journal_as_it_was(old: Path) -> None:
    sql(old, "CREATE TABLE writers (mine TEXT)")  # the second step cannot make its table
    before = version_of(old)
    with pytest.raises(CouldNotTell, match="the journal cannot be opened: table writers already exists"):
        SqliteJournal(old)
    assert version_of(old) == before == 1
    sql(old, "DROP TABLE writers")
    SqliteJournal(old).close()
    assert version_of(old) == formats.newest("journal")


def test_no_copy_no_step(old: Path) -> None:
    (old.parent / "journal-format-1.db").mkdir()  # the copy cannot be put there
    with pytest.raises(CouldNotTell, match="cannot be opened"):
        SqliteJournal(old)
    assert version_of(old) == 1


def killed_while_writing(path: Path, *statements: str) -> None:
    """Leave the file as a writer that was killed leaves it: the last statements are in the -wal file alone."""
    script = (
        "import os, signal, sqlite3, sys\n"
        "db = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "db.execute('PRAGMA wal_autocheckpoint = 0')\n"
        "for statement in sys.argv[2:]: db.execute(statement)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path), *statements], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert path.with_name(path.name + "-wal").stat().st_size > 0


@pytest.mark.parametrize("read_only", [False, True])
def test_a_newer_journal_is_refused_untouched_and_its_writer_named(tmp_path: Path, read_only: bool) -> None:
    path = tmp_path / "journal.db"
    SqliteJournal(path).close()
    killed_while_writing(path, "INSERT INTO writers VALUES ('7.1.0', 999)", "PRAGMA user_version = 999")
    before = contents(tmp_path)
    with pytest.raises(NewerFormat) as refused:
        SqliteJournal(path, read_only=read_only)
    assert f"{path} was written by Paramedic 7.1.0 (format 999)" in str(refused.value)
    assert "Nothing was changed. Start Paramedic 7.1.0 or a newer one, or use another folder" in str(refused.value)
    assert refused.value.exit_code == 2
    assert contents(tmp_path) == before


def test_a_newer_journal_in_a_shape_that_we_do_not_know_is_refused_too(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    sql(path, "CREATE TABLE events (x)", "PRAGMA user_version = 12")
    with pytest.raises(NewerFormat, match=r"was written by a newer Paramedic \(format 12\)"):
        SqliteJournal(path)


def test_samples_of_a_newer_version_are_refused_untouched(tmp_path: Path) -> None:
    store = SqliteSamples(tmp_path)
    store.append(Scrape("engine:a", NOON, [label_set("up")], [1.0]))
    store.close()
    [day] = tmp_path.glob("*.db")
    sql(day, "PRAGMA user_version = 999", "PRAGMA journal_mode = DELETE")
    before = contents(tmp_path)
    for read_only in (False, True):
        with pytest.raises(NewerFormat, match="which knows up to format 1 of the samples"):
            SqliteSamples(tmp_path, read_only=read_only)
    assert contents(tmp_path) == before


def test_days_of_an_older_version_are_brought_up_to_date(tmp_path: Path) -> None:
    store = SqliteSamples(tmp_path)
    store.append(Scrape("engine:a", NOON, [label_set("up")], [1.0]))
    store.close()
    [day] = tmp_path.glob("*.db")
    sql(day, "PRAGMA user_version = 0")
    SqliteSamples(tmp_path, read_only=True).close()
    assert version_of(day) == 0
    again = SqliteSamples(tmp_path)
    assert version_of(day) == 1
    assert again.newest_ms == NOON // 10**6
    again.close()


@pytest.mark.parametrize(
    "command", [["status"], ["incidents"], ["explain"], ["watch", "--no-discovery", "--for", "1s"]]
)
def test_every_command_refuses_a_newer_folder(tmp_path: Path, command: list[str]) -> None:
    path = tmp_path / "journal.db"
    SqliteJournal(path).close()
    sql(path, "INSERT INTO writers VALUES ('7.1.0', 999)", "PRAGMA user_version = 999", "PRAGMA journal_mode = DELETE")
    before = path.read_bytes()
    done = subprocess.run(
        [sys.executable, "-m", "paramedic", *command, "--data-dir", str(tmp_path)],
        env={**os.environ, "LC_ALL": "C.UTF-8"},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith(f"paramedic: {path} was written by Paramedic 7.1.0 (format 999); this is Paramedic ")
    assert done.stderr.count("\n") == 1
    assert path.read_bytes() == before


@pytest.mark.parametrize("command", [["status", "--json"], ["incidents", "--json"], ["explain", INCIDENT, "--json"]])
def test_every_command_reads_an_older_folder_and_leaves_it(old: Path, command: list[str]) -> None:
    before = old.read_bytes()
    done = subprocess.run(
        [sys.executable, "-m", "paramedic", *command, "--data-dir", str(old.parent)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    assert INCIDENT in done.stdout or command[0] == "status"
    assert old.read_bytes() == before


def test_a_watch_brings_an_older_folder_up_to_date_and_says_so(old: Path, tmp_path: Path) -> None:
    config = tmp_path / "paramedic.yaml"
    config.write_text("server: {port: 0}\n")
    command = ["watch", "--no-discovery", "--no-practice", "--for", "1s", "--lang", "en", "--config", str(config)]
    done = subprocess.run(
        [sys.executable, "-m", "paramedic", *command, "--data-dir", str(old.parent)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    kept = old.with_name("journal-format-1.db")
    first = done.stdout.splitlines()[0]
    assert first == f"The journal of an older Paramedic was brought up to date; as it was, it is kept in {kept}."
    assert (version_of(old), version_of(kept)) == (formats.newest("journal"), 1)
