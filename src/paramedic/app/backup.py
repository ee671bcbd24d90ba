"""Making a backup of a data folder, whether a daemon runs on it or not."""

import hashlib
import io
import os
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from paramedic import __version__
from paramedic.adapters.storage.online_copy import copy_while_in_use, count_entries
from paramedic.app.archive import JOURNAL, Manifest, is_part
from paramedic.app.folder import DataFolder
from paramedic.app.packed import MANIFEST, Part
from paramedic.app.reading import need_journal
from paramedic.model.errors import ParamedicError, UsageError

Progress = Callable[[int, int], None]
"""(bytes done, bytes in all)"""


def make_backup(
    folder: DataFolder,
    file: Path,
    now: int,
    *,
    with_samples: bool = False,
    with_secrets: bool = False,
    progress: Progress = lambda done, total: None,
) -> Manifest:
    """Write `file`, readable by its owner alone, whole or not at all. `now` is UTC nanoseconds.

    Raises UsageError when it exists, CouldNotTell when there is nothing to save or it is damaged.
    """
    need_journal(folder.path)
    _refuse_to_overwrite(file)
    found = list(_found(folder, with_samples, with_secrets))
    tell = _Told(2 * sum(_size(folder.path / name) for name in found), progress)
    try:
        with tempfile.TemporaryDirectory(dir=file.parent, prefix=".paramedic-backup-") as staging:
            stage = Path(staging)
            parts = tuple(_copied(folder.path / name, stage, name, tell) for name in found)
            entries, last = count_entries(stage / JOURNAL)
            manifest = Manifest(__version__, now, entries, last, with_secrets, parts)
            draft = stage / "backup"
            _write(draft, stage, manifest, tell)
            _refuse_to_overwrite(file)
            draft.replace(file)
    except OSError as error:
        raise ParamedicError(
            f"{file}: the backup cannot be made: {error.strerror}. Nothing was left behind."
        ) from error
    return manifest


def _refuse_to_overwrite(file: Path) -> None:
    if file.is_dir():
        raise UsageError(f"{file} is a folder: name a file in it, such as {file / 'paramedic.tar.gz'}")
    if os.path.lexists(file):
        raise UsageError(f"{file} exists: a backup overwrites nothing, name another file")
    if not file.parent.is_dir():
        raise UsageError(f"{file}: there is no folder {file.parent}")


def _found(folder: DataFolder, with_samples: bool, with_secrets: bool) -> Iterator[str]:
    """The names of what is to be saved, in the data folder."""
    yield JOURNAL
    wanted = sorted(folder.samples.glob("*.db")) if with_samples else []
    wanted += sorted(folder.engines.glob("*/spec.json")) if with_secrets else []
    yield from (name for path in wanted if is_part(name := path.relative_to(folder.path).as_posix()))


def _copied(source: Path, stage: Path, name: str, tell: "_Told") -> Part:
    """Put a copy onto the stage: of a database as it is at one moment, of another file as it is."""
    copy = stage / name
    copy.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if name.endswith(".db"):
        copy_while_in_use("journal" if name == JOURNAL else "samples", source, copy)
    else:
        copy.write_bytes(source.read_bytes())
    tell.more(_size(source))
    with copy.open("rb") as content:
        return Part(name, _size(copy), hashlib.file_digest(content, "sha256").hexdigest())


def _write(draft: Path, stage: Path, manifest: Manifest, tell: "_Told") -> None:
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as out:  # noqa: PTH123 (a descriptor)
        with tarfile.open(fileobj=out, mode="w:gz", compresslevel=3, format=tarfile.PAX_FORMAT) as tar:
            said = manifest.to_json()
            tar.addfile(_entry(MANIFEST, len(said), manifest.made_at), io.BytesIO(said))
            for part in manifest.parts:
                with (stage / part.name).open("rb") as content:
                    tar.addfile(_entry(part.name, part.bytes, manifest.made_at), content)
                tell.more(part.bytes)
        out.flush()
        os.fsync(descriptor)


def _entry(name: str, size: int, made_at: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = size, 0o600, made_at // 1_000_000_000
    return entry


def _size(path: Path) -> int:
    return path.stat().st_size


class _Told:
    """How far it is."""

    def __init__(self, total: int, progress: Progress) -> None:
        self._total = total
        self._done = 0
        self._progress = progress

    def more(self, size: int) -> None:
        self._done += size
        self._progress(min(self._done, self._total), self._total)
