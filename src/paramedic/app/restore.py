"""Restoring a data folder from a backup: checked first, then put in place in one step; what was there is kept."""

import contextlib
import hashlib
import os
import shutil
import tarfile
import tempfile
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from paramedic.adapters.storage.formats import NewerFormat
from paramedic.adapters.storage.online_copy import check_sound
from paramedic.app.archive import BLOCK, JOURNAL, MANIFEST, MANIFEST_LIMIT, Manifest, NoBackup, Part, foreign
from paramedic.app.archive import read_manifest as parse_manifest
from paramedic.app.folder import DataFolder
from paramedic.model.errors import CouldNotTell, NoDaemon, ParamedicError, UsageError

_UNREADABLE = (tarfile.TarError, EOFError, zlib.error, OSError, ValueError)  # what a torn or foreign file raises


@dataclass(frozen=True, slots=True)
class Restored:
    """What is in place now, and where the folder of before is kept (None: there was nothing in it)."""

    manifest: Manifest
    aside: Path | None


def restore(file: Path, folder: DataFolder, now: int, *, force: bool = False) -> Restored:
    """Put a backup into the place of a data folder. `now` is UTC nanoseconds.

    Raises NoDaemon when a daemon holds the folder, UsageError when it is not empty (without `force`) or the file is
    no whole backup. Nothing is changed then.
    """
    folder = DataFolder(folder.path.resolve())  # what a link leads to is replaced, the link stays
    _refuse_to_replace(folder, force)
    parent = folder.path.parent
    try:
        parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=parent, prefix=f".{folder.path.name}-restore-") as staging:
            stage = Path(staging) / "data"
            manifest = _unpacked(file, stage)
            aside = _put_in_place(stage, folder, now)
    except OSError as error:
        raise ParamedicError(
            f"the data folder {folder.path} cannot be replaced: {error.strerror}. "
            "Nothing was changed: restore into another one with --data-dir."
        ) from error
    return Restored(manifest, aside)


def _refuse_to_replace(folder: DataFolder, force: bool) -> None:
    if not os.path.lexists(folder.path):
        return
    if not folder.path.is_dir():
        raise UsageError(f"{folder.path} is no folder: choose another one with --data-dir")
    if folder.is_held():
        pid = folder.read_daemon().get("pid", "unknown")
        raise NoDaemon(
            f"the data folder {folder.path} is in use by a running paramedic (pid {pid}): "
            "stop it first, with `paramedic stop`, or with SIGTERM so that engines run on"
        )
    if _in_it(folder) and not force:
        raise UsageError(
            f"the data folder {folder.path} is not empty. Nothing was changed: "
            "restore into another one with --data-dir, or add --force to set this one aside"
        )


def _in_it(folder: DataFolder) -> list[str]:
    return [path.name for path in folder.path.iterdir() if path.name != "lock"]


# Out of the file


def _unpacked(file: Path, stage: Path) -> Manifest:
    """The parts of the backup on the stage, each checked."""
    for made in (stage, stage / "samples", stage / "engines"):
        made.mkdir(mode=0o700)
    try:
        tar = tarfile.open(file, "r:gz")  # noqa: SIM115 (closed below; opening has its own sentence)
    except FileNotFoundError:
        raise UsageError(f"there is no file {file}") from None
    except PermissionError:
        raise UsageError(f"{file} may not be read by you") from None
    except IsADirectoryError:
        raise UsageError(f"{file} is a folder, no backup file") from None
    except _UNREADABLE:
        raise NoBackup(f"{file} is no backup of Paramedic: it is no tar.gz file. Nothing was restored.") from None
    with tar:
        manifest = _read_manifest(tar, file)
        _need_space(manifest, stage)
        _unpack(tar, file, manifest, stage)
    _check_databases(file, manifest, stage)
    return manifest


def _read_manifest(tar: tarfile.TarFile, file: Path) -> Manifest:
    first = _next(tar, file)
    if first is None or first.name != MANIFEST or not first.isreg() or first.size > MANIFEST_LIMIT:
        raise NoBackup(f"{file} is no backup of Paramedic: it does not begin with a {MANIFEST}. Nothing was restored.")
    content = tar.extractfile(first)
    return parse_manifest(b"" if content is None else _read(content, first.size, file), str(file))


def _unpack(tar: tarfile.TarFile, file: Path, manifest: Manifest, stage: Path) -> None:
    missing = {part.name: part for part in manifest.parts}
    while (entry := _next(tar, file)) is not None:
        part = missing.pop(entry.name, None)
        content = tar.extractfile(entry) if entry.isreg() else None
        if part is None or content is None or entry.size != part.bytes:
            raise foreign(str(file), entry.name)
        _unpack_part(content, part, file, stage)
    _read_to_the_end(tar, file)
    if missing or JOURNAL not in {part.name for part in manifest.parts}:
        raise _torn(file, f"{', '.join(sorted(missing)) or JOURNAL} is missing")


def _read_to_the_end(tar: tarfile.TarFile, file: Path) -> None:
    """What follows the last part is padding and a checksum over all of it."""
    try:
        rest = tar.fileobj.read(BLOCK + 1) if tar.fileobj is not None else b""
    except _UNREADABLE as problem:
        raise _torn(file, "it ends too early or cannot be unpacked") from problem
    if rest.strip(b"\0"):
        raise _torn(file, "something follows its end")


def _unpack_part(content: IO[bytes], part: Part, file: Path, stage: Path) -> None:
    path = stage / part.name  # the manifest has no name that leads out of it
    path.parent.mkdir(mode=0o700, exist_ok=True)
    digest, left = hashlib.sha256(), part.bytes
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:  # noqa: PTH123 (a descriptor)
        while left:
            block = _read(content, min(left, BLOCK), file)
            digest.update(block)
            out.write(block)
            left -= len(block)
        out.flush()
        os.fsync(out.fileno())
    if digest.hexdigest() != part.sha256:
        raise _torn(file, f"{part.name} is not as it was")


def _next(tar: tarfile.TarFile, file: Path) -> tarfile.TarInfo | None:
    try:
        return tar.next()
    except _UNREADABLE as problem:
        raise _torn(file, "it ends too early or cannot be unpacked") from problem


def _read(content: IO[bytes], size: int, file: Path) -> bytes:
    try:
        block = content.read(size)
    except _UNREADABLE as problem:
        raise _torn(file, "it ends too early or cannot be unpacked") from problem
    if len(block) != size:
        raise _torn(file, "it ends too early")
    return block


def _torn(file: Path, why: str) -> NoBackup:
    return NoBackup(f"{file} is cut off or damaged: {why}. Nothing was restored: take another backup file.")


def _need_space(manifest: Manifest, stage: Path) -> None:
    needed, free = sum(part.bytes for part in manifest.parts), shutil.disk_usage(stage).free
    if needed > free:
        raise ParamedicError(
            f"{needed / 1e6:.0f} MB are needed beside the data folder, {free / 1e6:.0f} MB are free. "
            "Nothing was restored."
        )


def _check_databases(file: Path, manifest: Manifest, stage: Path) -> None:
    try:
        for part in manifest.parts:
            if part.name.endswith(".db"):
                check_sound("journal" if part.name == JOURNAL else "samples", stage / part.name)
    except CouldNotTell as damaged:
        raise _torn(file, str(damaged).removeprefix(f"{stage}/")) from damaged
    except NewerFormat as newer:
        raise UsageError(
            f"{file} was made by Paramedic {manifest.paramedic}, in a newer format than this version knows. "
            "Nothing was restored: restore it with that version or a newer one."
        ) from newer


# Into place


def _put_in_place(stage: Path, folder: DataFolder, now: int) -> Path | None:
    """Rename, twice at most; a daemon that starts meanwhile finds the old folder or the new one, never half of one."""
    if not folder.path.exists():
        stage.rename(folder.path)
        return None
    folder.hold()
    try:
        aside = _aside(folder.path, now)
        was_empty = not _in_it(folder)
        folder.path.rename(aside)
        try:
            stage.rename(folder.path)
        except OSError:
            with contextlib.suppress(OSError):
                aside.rename(folder.path)
            raise
    finally:
        folder.let_go()
    if was_empty:
        shutil.rmtree(aside)
        return None
    return aside


def _aside(path: Path, now: int) -> Path:
    """A free name beside the folder that says what it is."""
    when = datetime.fromtimestamp(now / 1e9, UTC).strftime("%Y%m%dT%H%M%SZ")
    wanted = path.with_name(f"{path.name}.before-restore-{when}")
    names = [wanted, *(wanted.with_name(f"{wanted.name}-{number}") for number in range(2, 100))]
    return next(name for name in names if not os.path.lexists(name))
