"""`paramedic backup`, `paramedic restore`: a data folder goes into one file and out of it, or nothing is changed."""

import errno
import gzip
import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from paramedic.adapters.storage.journal_sqlite import SqliteJournal
from paramedic.adapters.storage.samples_sqlite import SqliteSamples
from paramedic.adapters.supervisors.spec import save_spec, spec_of_now
from paramedic.cli.main import main
from paramedic.cli.screens import figures
from paramedic.journal.events import ActionStarted
from paramedic.model.sample import Scrape, label_set
from tests.fakes.night import INCIDENT, waits_for_a_person
from tests.integration.practice_engine import free_port
from tests.integration.watching import watching

NOON = 1_700_049_600 * 10**9
SECRET = "sk-never-seen"


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")


def paramedic(*arguments: object) -> Said:
    """A command as a shell calls it, in this process: that is faster."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as stop:
        main([str(argument) for argument in arguments])
    assert SECRET not in out.getvalue() + err.getvalue()
    return Said(int(stop.value.code or 0), out.getvalue(), err.getvalue())


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder after a bad night."""
    folder = tmp_path / "data"
    folder.mkdir()
    journal = SqliteJournal(folder / "journal.db")
    for entry in waits_for_a_person():
        journal.append(entry.at, [(entry.event, entry.because)])
    journal.close()
    samples = SqliteSamples(folder / "samples")
    samples.append(Scrape("engine:a", NOON, [label_set("up")], [1.0]))
    samples.close()
    engine = folder / "engines" / "qwen"
    engine.mkdir(parents=True)
    save_spec(engine, spec_of_now(["vllm", "serve", "m", "--api-key", SECRET], {"HF_TOKEN": SECRET}, "/"))
    (engine / "run-1.log").write_text("a prompt")
    return folder


@pytest.fixture
def saved(data: Path, tmp_path: Path) -> Path:
    file = tmp_path / "saved.tar.gz"
    assert paramedic("backup", file, "--data-dir", data, "--with-samples", "--with-secrets").code == 0
    return file


def names(file: Path) -> list[str]:
    with tarfile.open(file) as tar:
        return tar.getnames()


def incidents(folder: Path) -> Any:
    return json.loads(paramedic("incidents", "--json", "--data-dir", folder).out)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_a_backup_is_for_its_owner_alone_and_has_no_keys_unless_asked(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "saved.tar.gz"
    said = paramedic("backup", file, "--data-dir", data)
    assert said.code == 0, said.err
    made, *without = said.out.splitlines()
    assert made.startswith(f"Saved into {file} (")
    last = figures.day_and_time(waits_for_a_person()[-1].at)
    assert made.endswith(f" kB): the journal with 36 events, the last one of {last}.")
    assert without == [
        "Without samples: add --with-samples.",
        "Without how engines are started, since that holds keys: add --with-secrets.",
    ]
    assert file.stat().st_mode & 0o777 == 0o600
    assert names(file) == ["manifest.json", "journal.db"]
    assert SECRET.encode() not in gzip.decompress(file.read_bytes())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "saved.tar.gz"]  # nothing else is left


def test_what_is_asked_for_is_in_it_and_it_says_so(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "saved.tar.gz"
    said = paramedic("backup", file, "--data-dir", data, "--with-samples", "--with-secrets", "--lang", "zh")
    assert "含监控数据：1 天。" in said.out
    assert "含引擎启动方式（包括密钥）：1 个。" in said.out
    assert names(file) == ["manifest.json", "journal.db", "samples/samples-2023-11-15.db", "engines/qwen/spec.json"]


def test_machines_are_told_what_is_in_it(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "saved.tar.gz"
    told = json.loads(paramedic("backup", file, "--data-dir", data, "--json").out)
    assert (told["file"], told["bytes"]) == (str(file), file.stat().st_size)
    assert (told["entries"], told["sample_days"], told["secrets"]) == (len(waits_for_a_person()), 0, False)


def test_it_comes_out_as_it_went_in(data: Path, saved: Path, tmp_path: Path) -> None:
    new = tmp_path / "elsewhere" / "data"
    said = paramedic("restore", saved, "--data-dir", new)
    assert said.code == 0, said.err
    assert said.out.startswith(
        f"Restored into {new}: the journal with {len(waits_for_a_person())} events, as Paramedic "
    )
    assert said.out.count("\n") == 1
    assert incidents(new) == incidents(data)
    assert [one["id"] for one in incidents(new)][-1] == INCIDENT
    assert (new / "engines/qwen/spec.json").read_bytes() == (data / "engines/qwen/spec.json").read_bytes()
    again = SqliteSamples(new / "samples")
    assert again.newest_ms == NOON // 10**6
    again.close()
    assert {path.stat().st_mode & 0o777 for path in new.rglob("*") if path.is_file()} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in (new, *new.rglob("*")) if path.is_dir()} == {0o700}


def test_a_folder_that_is_not_empty_is_set_aside_only_when_told(data: Path, saved: Path) -> None:
    journal = SqliteJournal(data / "journal.db")
    journal.append(1, [(ActionStarted("ACT-0009"), None)])
    journal.close()
    before = contents(data)
    said = paramedic("restore", saved, "--data-dir", data)
    assert (said.code, said.out) == (2, "")
    assert said.err == (
        f"paramedic: the data folder {data} is not empty. Nothing was changed: "
        "restore into another one with --data-dir, or add --force to set this one aside\n"
    )
    assert contents(data) == before
    told = json.loads(paramedic("restore", saved, "--data-dir", data, "--force", "--json").out)
    kept = Path(told["kept"])
    assert kept.name.startswith("data.before-restore-20")
    assert {name: held for name, held in contents(kept).items() if name != "lock"} == before
    assert (told["entries"], told["data_dir"]) == (len(waits_for_a_person()), str(data))
    assert SECRET in (data / "engines/qwen/spec.json").read_text()


def test_an_empty_folder_is_no_obstacle(saved: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert paramedic("restore", saved, "--data-dir", empty).code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "empty", "saved.tar.gz"]
    assert [one["id"] for one in incidents(empty)][-1] == INCIDENT


def test_a_link_to_the_folder_stays_a_link(data: Path, saved: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(data)
    told = json.loads(paramedic("restore", saved, "--data-dir", link, "--force", "--json").out)
    assert link.is_symlink()
    assert link.resolve() == data
    assert Path(told["kept"]).parent == tmp_path
    assert [one["id"] for one in incidents(link)][-1] == INCIDENT


def test_a_file_is_no_folder(saved: Path, tmp_path: Path) -> None:
    said = paramedic("restore", saved, "--data-dir", saved, "--force")
    assert said.code == 2
    assert not said.out


def test_a_folder_that_cannot_be_renamed_is_left_as_it_is(
    data: Path, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where it is a mount point."""
    before = contents(data)

    def busy(path: Path, target: Path) -> Path:
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))

    monkeypatch.setattr(Path, "rename", busy)
    said = paramedic("restore", saved, "--data-dir", data, "--force")
    assert said.code == 2
    assert said.err == (
        f"paramedic: the data folder {data} cannot be replaced: Device or resource busy. "
        "Nothing was changed: restore into another one with --data-dir.\n"
    )
    assert {name: held for name, held in contents(data).items() if name != "lock"} == before


def test_with_a_running_watch_a_backup_is_whole_and_a_restore_refused(saved: Path, tmp_path: Path) -> None:
    with watching(tmp_path / "its") as start:
        (tmp_path / "its").mkdir()
        watch = start("--no-practice", "--target", f"http://127.0.0.1:{free_port()}")
        watch.wait("TargetAdded")
        file = tmp_path / "running.tar.gz"
        assert paramedic("backup", file, "--data-dir", watch.data, "--with-samples").code == 0
        said = paramedic("restore", saved, "--data-dir", watch.data, "--force")
        assert said.code == 4
        assert f"is in use by a running paramedic (pid {watch.process.pid}): stop it first" in said.err
        watch.wait("StateChanged", after="down")
        assert watch.end() == 0
    other = tmp_path / "other"
    assert paramedic("restore", file, "--data-dir", other).code == 0
    assert paramedic("status", "--data-dir", other).code in (1, 3)


def test_a_backup_is_of_one_moment_however_fast_is_written(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    script = (
        "import sys, pathlib\n"
        "from paramedic.adapters.storage.journal_sqlite import SqliteJournal\n"
        "from paramedic.journal.events import ActionStarted\n"
        "store = SqliteJournal(pathlib.Path(sys.argv[1]))\n"
        "while True:\n"
        "    print(store.append(1, [(ActionStarted('A'), None), (ActionStarted('B'), None)])[1].seq, flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(data / "journal.db")], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        acknowledged = int(writer.stdout.readline())
        told = json.loads(paramedic("backup", tmp_path / "b.tar.gz", "--data-dir", data, "--json").out)
        writer.send_signal(signal.SIGKILL)
    assert told["entries"] >= acknowledged
    assert told["entries"] % 2 == 0  # two events are written together, or none
    assert paramedic("restore", tmp_path / "b.tar.gz", "--data-dir", tmp_path / "new").code == 0
    journal = SqliteJournal(tmp_path / "new" / "journal.db", read_only=True)
    assert [entry.seq for entry in journal.read()] == list(range(1, told["entries"] + 1))
    journal.close()


# What cannot be


def test_a_backup_overwrites_nothing(data: Path, saved: Path, tmp_path: Path) -> None:
    before = saved.read_bytes()
    assert paramedic("backup", saved, "--data-dir", data).err == (
        f"paramedic: {saved} exists: a backup overwrites nothing, name another file\n"
    )
    assert saved.read_bytes() == before
    said = paramedic("backup", tmp_path, "--data-dir", data)
    assert (said.code, said.err) == (
        2,
        f"paramedic: {tmp_path} is a folder: name a file in it, such as {tmp_path}/paramedic.tar.gz\n",
    )
    said = paramedic("backup", tmp_path / "no" / "b", "--data-dir", data)
    assert (said.code, said.err) == (2, f"paramedic: {tmp_path}/no/b: there is no folder {tmp_path}/no\n")


def test_nothing_to_save_and_what_is_damaged(data: Path, tmp_path: Path) -> None:
    said = paramedic("backup", tmp_path / "b", "--data-dir", tmp_path / "none")
    assert said.code == 3
    assert "nothing has been watched yet" in said.err
    with (data / "journal.db").open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 4096)
    said = paramedic("backup", tmp_path / "b", "--data-dir", data)
    assert said.code == 3, said.err
    assert said.err.startswith("paramedic: ")
    assert not (tmp_path / "b").exists()


Remake = Callable[[list[tuple[tarfile.TarInfo, bytes]]], list[tuple[tarfile.TarInfo, bytes]]]


def remade(file: Path, change: Remake) -> Path:
    """The same archive with its entries changed."""
    with tarfile.open(file) as tar:
        entries = [(one, tar.extractfile(one).read()) for one in tar.getmembers()]  # type: ignore[union-attr]
    with tarfile.open(file, "w:gz") as tar:
        for entry, content in change(entries):
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return file


def link(name: str, to: str) -> tuple[tarfile.TarInfo, bytes]:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = tarfile.SYMTYPE, to
    return entry, b""


def manifest_with(**changes: object) -> Remake:
    def change(entries: list[tuple[tarfile.TarInfo, bytes]]) -> list[tuple[tarfile.TarInfo, bytes]]:
        (first, raw), *rest = entries
        return [(first, json.dumps({**json.loads(raw), **changes}).encode()), *rest]

    return change


def named(name: str) -> Remake:
    """An entry more, named in the manifest too."""
    part = {"name": name, "bytes": 0, "sha256": ""}

    def change(entries: list[tuple[tarfile.TarInfo, bytes]]) -> list[tuple[tarfile.TarInfo, bytes]]:
        (first, raw), *rest = entries
        said = json.loads(raw)
        manifest = {**said, "parts": [*said["parts"], part]}
        return [(first, json.dumps(manifest).encode()), *rest, (tarfile.TarInfo(name), b"")]

    return change


BAD: dict[str, tuple[Remake, str]] = {
    "path out": (lambda e: [*e, (tarfile.TarInfo("../evil"), b"x")], "holds '../evil', which no backup"),
    "absolute path": (lambda e: [*e, (tarfile.TarInfo("/tmp/evil"), b"x")], "holds '/tmp/evil', which no backup"),
    "named path out": (named("engines/../../spec.json"), "holds 'engines/../../spec.json', which no backup"),
    "named dots": (named("engines/../spec.json"), "holds 'engines/../spec.json', which no backup"),
    "link": (lambda e: [e[0], link("journal.db", "/etc/passwd"), *e[2:]], "holds 'journal.db', which no backup"),
    "twice": (lambda e: [*e, e[1]], "holds 'journal.db', which no backup"),
    "missing": (lambda e: e[:2], "damaged: engines/qwen/spec.json, samples/samples-2023-11-15.db is missing"),
    "changed": (lambda e: [*e[:3], (e[3][0], e[3][1][:-1] + b"!")], "engines/qwen/spec.json is not as it was"),
    "no manifest": (lambda e: e[1:], "it does not begin with a manifest.json"),
    "other kind": (manifest_with(kind="tea"), "its manifest is another program's"),
    "no parts": (manifest_with(parts=None), "its manifest cannot be read"),
    "newer layout": (manifest_with(layout=9), "in a newer layout (9; this one knows 1)"),
    "huge": (lambda e: [(e[0][0], b" " * 5_000_000), *e[1:]], "it does not begin with a manifest.json"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_foreign_file_changes_nothing(data: Path, saved: Path, tmp_path: Path, case: str) -> None:
    change, sentence = BAD[case]
    refused(remade(saved, change), data, tmp_path, sentence)


@pytest.mark.parametrize("share", [0.02, 0.5, 0.9, 0.999])
def test_a_torn_file_changes_nothing(data: Path, saved: Path, tmp_path: Path, share: float) -> None:
    whole = saved.read_bytes()
    saved.write_bytes(whole[: int(len(whole) * share)])
    refused(saved, data, tmp_path, f"{saved} is ")


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", b"\x1f\x8b\x08", os.urandom(3000), gzip.compress(b"hello")],
    ids=["empty", "text", "a-head-alone", "noise", "no-tar-in-it"],  # the same in every worker
)
def test_what_is_no_archive_changes_nothing(data: Path, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "some.tar.gz"
    file.write_bytes(content)
    refused(file, data, tmp_path, f"{file} is no backup of Paramedic: ")


def test_a_missing_file_and_a_folder(data: Path, tmp_path: Path) -> None:
    refused(tmp_path / "none", data, tmp_path, f"there is no file {tmp_path / 'none'}")
    refused(tmp_path, data, tmp_path, f"{tmp_path} is a folder, no backup file")


def test_a_journal_of_a_newer_version_is_not_restored(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "saved.tar.gz"
    db = sqlite3.connect(data / "journal.db")
    db.execute("PRAGMA user_version = 999")
    db.close()
    said = paramedic("backup", file, "--data-dir", data)
    assert said.code == 2
    assert "(format 999)" in said.err
    assert not file.exists()


def refused(file: Path, data: Path, tmp_path: Path, sentence: str) -> None:
    before, beside = contents(data), sorted(path.name for path in tmp_path.iterdir())
    said = paramedic("restore", file, "--data-dir", data, "--force")
    assert (said.code, said.out) == (2, ""), said.err
    assert sentence in said.err
    assert said.err.count("\n") == 1
    assert contents(data) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == beside
