"""A bundle goes in and comes out whole; what is cut, foreign, newer or malicious is refused in a sentence."""

import gzip
import io
import json
import os
import stat
import tarfile
from pathlib import Path
from typing import Any

import pytest

from paramedic.app import bundle_unpack
from paramedic.app.bundle import Manifest, NoBundle, pack
from paramedic.app.bundle_unpack import is_archive, unpacked
from paramedic.model.errors import UsageError
from paramedic.model.text import Text

MANIFEST = Manifest(
    "0", 1_700_000_000 * 10**9, 1.0, 61.0, "qwen@h:1", {"engine": {"version": "0.26"}}, (("gpu", Text("no", "无")),)
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "recorded"
    made.mkdir()
    (made / "server.log").write_text("one\ntwo\n")
    (made / "scrapes.txt.gz").write_bytes(gzip.compress(b"# t=1 status=200 took=0\n" * 9))
    return made


@pytest.fixture
def file(folder: Path, tmp_path: Path) -> Path:
    pack(folder, tmp_path / "a.tar.gz", MANIFEST, force=False)
    return tmp_path / "a.tar.gz"


def test_comes_out_as_it_went_in(file: Path, folder: Path) -> None:
    with unpacked(file) as (out, manifest):
        assert {path.name: path.read_bytes() for path in out.iterdir()} == {
            path.name: path.read_bytes() for path in folder.iterdir()
        }
        assert stat.S_IMODE(out.stat().st_mode) == 0o700
    assert not out.exists()
    assert (manifest.since, manifest.until, manifest.target) == (1.0, 61.0, "qwen@h:1")
    assert manifest.facts == {"engine": {"version": "0.26"}}
    assert manifest.could_not == (("gpu", Text("no", "无")),)
    assert [part.name for part in manifest.parts] == ["scrapes.txt.gz", "server.log"]


def test_is_its_owners_and_overwrites_nothing(file: Path, folder: Path) -> None:
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = file.read_bytes()
    with pytest.raises(UsageError, match="exists: name another file, or say --force"):
        pack(folder, file, MANIFEST, force=False)
    assert file.read_bytes() == before
    pack(folder, file, MANIFEST, force=True)
    assert sorted(path.name for path in file.parent.iterdir()) == ["a.tar.gz", "recorded"]


def test_an_archive_is_told_from_a_packed_log(file: Path, tmp_path: Path) -> None:
    log = tmp_path / "server.log.gz"
    log.write_bytes(gzip.compress(b"line\n" * 1000))
    (tmp_path / "empty").touch()
    assert is_archive(file)
    assert not is_archive(log)
    assert not is_archive(tmp_path / "empty")
    assert not is_archive(tmp_path / "absent")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_cut_off(file: Path, share: float) -> None:
    raw = file.read_bytes()
    file.write_bytes(raw[: int(len(raw) * share)])
    with pytest.raises(NoBundle, match="cut off"), unpacked(file):
        pass


def test_changed_on_its_way(file: Path) -> None:
    parts = read(file)
    parts["server.log"] = b"one\nTWO\n"
    write(file, parts)
    with pytest.raises(NoBundle, match=r"damaged: server\.log is not as it was"), unpacked(file):
        pass


def test_part_is_missing(file: Path) -> None:
    parts = read(file)
    del parts["server.log"]
    write(file, parts)
    with pytest.raises(NoBundle, match=r"server\.log is missing"), unpacked(file):
        pass


def test_newer_format(file: Path) -> None:
    change_manifest(file, format=2, paramedic="9.9")
    with (
        pytest.raises(UsageError, match=r"recorded by Paramedic 9\.9 in a newer format \(2; this one knows 1\)"),
        unpacked(file),
    ):
        pass


@pytest.mark.parametrize("manifest", [b"{}", b"[]", b"no json", b'{"kind": "paramedic-backup", "format": 1}'])
def test_manifest_of_somebody_else(file: Path, manifest: bytes) -> None:
    write(file, {"manifest.json": manifest})
    with pytest.raises(NoBundle, match="is no recording of Paramedic"), unpacked(file):
        pass


def test_tar_of_somebody_else(tmp_path: Path) -> None:
    write(tmp_path / "b.tar.gz", {"g4/server.log": b"x"})
    with pytest.raises(NoBundle, match="Is it a packed folder"), unpacked(tmp_path / "b.tar.gz"):
        pass


@pytest.mark.parametrize(
    "name", ["../../evil.txt", "/etc/evil.txt", "a/b.txt", ".hidden.txt", "manifest.json/x.txt", "..\\x.txt"]
)
def test_nothing_leads_out(file: Path, name: str, tmp_path: Path) -> None:
    """Neither as a promised part nor as an unexpected one."""
    parts = read(file)
    write(file, {**parts, name: b"x"})
    with pytest.raises(NoBundle, match="which no recording of Paramedic holds"), unpacked(file):
        pass
    change_manifest(file, parts=[{"name": name, "bytes": 1, "sha256": ""}])
    with pytest.raises(NoBundle, match="which no recording of Paramedic holds"), unpacked(file):
        pass
    assert not list(tmp_path.parent.rglob("evil.txt"))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE])
def test_only_plain_files(file: Path, kind: bytes) -> None:
    parts = read(file)
    with tarfile.open(file, "w:gz") as tar:
        add(tar, "manifest.json", parts["manifest.json"])
        entry = tarfile.TarInfo("server.log")
        entry.type, entry.linkname = kind, "/etc/passwd"
        tar.addfile(entry)
    with pytest.raises(NoBundle, match="which no recording of Paramedic holds"), unpacked(file):
        pass


def test_bomb_inside(file: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle_unpack, "LIMIT", 1024 * 1024)
    (folder / "host.jsonl.gz").write_bytes(gzip.compress(b"0" * 20_000_000))
    pack(folder, file, MANIFEST, force=True)
    with pytest.raises(NoBundle, match=r"host\.jsonl\.gz would unpack to more than 1 MB"), unpacked(file):
        pass


def test_bomb(file: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle_unpack, "LIMIT", 1024 * 1024)
    (folder / "host.txt").write_bytes(b"0" * 20_000_000)
    pack(folder, file, MANIFEST, force=True)
    with pytest.raises(NoBundle, match="would unpack to more than 1 MB"), unpacked(file):
        pass


def test_not_there_and_not_allowed(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no file"), unpacked(tmp_path / "x.tar.gz"):
        pass
    with pytest.raises(UsageError, match="there is no folder"):
        pack(tmp_path, tmp_path / "no" / "x.tar.gz", MANIFEST, force=True)
    with pytest.raises(UsageError, match="is a folder"):
        pack(tmp_path, tmp_path, MANIFEST, force=True)


def read(file: Path) -> dict[str, bytes]:
    with tarfile.open(file) as tar:
        return {entry.name: tar.extractfile(entry).read() for entry in tar}  # type: ignore[union-attr]


def write(file: Path, parts: dict[str, bytes]) -> None:
    with tarfile.open(file, "w:gz") as tar:
        for name, content in parts.items():
            add(tar, name, content)


def add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content))


def change_manifest(file: Path, **changed: Any) -> None:
    parts = read(file)
    said = json.loads(parts.pop("manifest.json")) | changed
    write(file, {"manifest.json": json.dumps(said).encode(), **parts})
    assert os.path.lexists(file)
