"""Restoring a data folder from a backup: checked first, then put in place in one step; what was there is kept."""

import contextlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from paramedic.adapters.storage.formats import NewerFormat
from paramedic.adapters.storage.online_copy import check_sound
from paramedic.app.archive import JOURNAL, MANIFEST_LIMIT, Manifest, NoBackup, foreign, read_manifest
from paramedic.app.folder import DataFolder
from paramedic.app.packed import MANIFEST, PackedFile
from paramedic.model.errors import CouldNotTell, NoDaemon, ParamedicError, UsageError


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
    if file.is_dir():
        raise UsageError(f"{file} is a folder, no backup file")
    none = NoBackup(f"{file} is no backup of Paramedic: it is no tar.gz file. Nothing was restored.")
    with PackedFile(file, "r:gz", partial(_torn, file), none) as packed:
        said = packed.manifest(MANIFEST_LIMIT)
        if said is None:
            raise NoBackup(
                f"{file} is no backup of Paramedic: it does not begin with a {MANIFEST}. Nothing was restored."
            )
        manifest = read_manifest(said, str(file))
        _need_space(manifest, stage)
        packed.unpack(manifest.parts, stage, partial(foreign, str(file)))
    if JOURNAL not in {part.name for part in manifest.parts}:
        raise _torn(file, f"{JOURNAL} is missing")
    for part in manifest.parts:
        with (stage / part.name).open("rb+") as written:
            os.fsync(written.fileno())
    _check_databases(file, manifest, stage)
    return manifest


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
