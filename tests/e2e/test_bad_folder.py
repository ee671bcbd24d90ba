"""A data folder that cannot be used, and a port that is taken: it is said, and nothing in the folder is changed."""

import contextlib
import socket
from pathlib import Path

import pytest

from paramedic.adapters.storage.journal_sqlite import SqliteJournal
from paramedic.app.folder import DataFolder
from tests.e2e.bad import Case, check_words, files_of, run, say, without_roots_eyes
from tests.fakes.night import waits_for_a_person
from tests.integration.full_disk import small_disk
from tests.unit.cli.conftest import write_journal

QUIET = "watch --no-discovery --no-practice --for 100ms"
CONFIGURED = {"paramedic.yaml": "data_dir: file\n", "file": "x"}
RUBBISH = bytes(range(256)) * 20

CASES = {
    "is-a-file": Case(f"{QUIET} --config paramedic.yaml", 2, CONFIGURED, env={"PARAMEDIC_DATA": ""}),
    "below-a-file": Case(f"{QUIET} --data-dir file/data", 2, {"file": "x"}),
    "lock-is-a-folder": Case(QUIET, 2, {"data/lock/": ""}),
    "journal-is-a-folder": Case(QUIET, 3, {"data/journal.db/": ""}, apart=True),
    "journal-is-rubbish": Case(QUIET, 3, {"data/journal.db": RUBBISH}, apart=True),
    "journal-is-rubbish-status": Case("status", 3, {"data/journal.db": RUBBISH}),
    "journal-is-rubbish-explain": Case("explain", 3, {"data/journal.db": RUBBISH}),
    "address-is-rubbish": Case("approve ACT-0001", 4, {"data/daemon.json": "[1, 2"}),
}


@pytest.mark.parametrize("name", CASES)
def test_words(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = CASES[name]
    said, code = say(case, tmp_path, monkeypatch)
    assert code == case.code, said
    check_words(f"folder-{name}", said, code, tmp_path)
    for file, content in case.files.items():
        if isinstance(content, bytes):
            assert (tmp_path / file).read_bytes() == content


@pytest.mark.parametrize("command", ["status", "explain", QUIET])
def test_a_journal_with_a_hole(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = write_journal(tmp_path / "data", []) / "journal.db"
    with contextlib.closing(SqliteJournal(journal)) as store:
        store.append(1, [(entry.event, entry.because) for entry in waits_for_a_person() * 20])
    whole = journal.read_bytes()
    holed = whole[:8192] + b"\xff" * (len(whole) - 12288) + whole[-4096:]
    journal.write_bytes(holed)
    said, code = say(Case(command, 3, apart=command == QUIET), tmp_path, monkeypatch)
    assert code == 3, said
    check_words(f"folder-hole-{command.partition(' ')[0]}", said, code, tmp_path)
    assert journal.read_bytes() == holed


def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    """Nobody can watch in it; what is known can still be read."""
    data = write_journal(tmp_path / "data", waits_for_a_person())
    for path in (*data.iterdir(), data):
        path.chmod(path.stat().st_mode & ~0o222)
    try:
        said, code = run(QUIET, tmp_path, preexec_fn=without_roots_eyes)
        read, found = run("status", tmp_path, preexec_fn=without_roots_eyes)
    finally:
        data.chmod(0o700)
    assert code == 3, said
    check_words("folder-read-only", said, code, tmp_path)
    assert found == 1, read
    assert "A restart waits for your yes." in read


def test_a_folder_that_another_watch_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = DataFolder(tmp_path / "data")
    other.create()
    other.hold()
    other.write_daemon({"pid": 4242})
    try:
        said, code = say(Case(f"{QUIET} --target http://127.0.0.1:1", 4), tmp_path, monkeypatch)
    finally:
        other.let_go()
    assert code == 4, said
    check_words("folder-held", said, code, tmp_path)


def test_a_full_disk(tmp_path: Path) -> None:
    with small_disk(tmp_path / "data", 1) as disk:
        disk.fill()
        said, code = run(QUIET, tmp_path)
        assert code == 3, said
        check_words("folder-full", said, code, tmp_path)


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said, code = run(f"{QUIET} --config {write_config(tmp_path, port)}", tmp_path)
    assert code == 0, said
    check_words("folder-port-taken", said, code, tmp_path, [other_port(said), (str(port), "PORT")])


def write_config(folder: Path, port: int) -> str:
    (folder / "paramedic.yaml").write_text(f"server: {{port: {port}}}\n")
    return "paramedic.yaml"


def other_port(said: str) -> tuple[str, str]:
    """The port that it took instead, which differs from run to run."""
    number = said.partition("listens on port ")[2].partition(";")[0]
    assert number.isdigit(), said
    return number, "ANOTHER"


def test_every_text_is_still_said() -> None:
    more = ("hole-status", "hole-explain", "hole-watch", "read-only", "held", "full")
    assert files_of("folder") == {f"folder-{name}" for name in (*CASES, *more, "port-taken")}
