"""Unpacking a bundle that somebody sent: checked piece by piece, into a folder of its own, never more than it says."""

import hashlib
import lzma
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from paramedic.app.bundle import BLOCK, MANIFEST, MANIFEST_LIMIT, Manifest, NoBundle, Part, foreign, read_manifest
from paramedic.model.errors import UsageError

LIMIT = 512 * BLOCK  # of all parts together, and of what each packed part unpacks to
_UNREADABLE = (tarfile.TarError, EOFError, OSError, zlib.error, lzma.LZMAError)
_GZIP = b"\x1f\x8b"


def is_archive(file: Path) -> bool:
    """Whether it is a packed tar file, and no log that is merely packed."""
    try:
        with file.open("rb") as begin:
            if begin.read(2) != _GZIP:
                begin.seek(257)
                return begin.read(5) == b"ustar"
            begin.seek(0)
            head = zlib.decompressobj(wbits=31).decompress(begin.read(4096), 512)
    except (OSError, zlib.error):
        return False
    return head[257:262] == b"ustar"


@contextmanager
def unpacked(file: Path) -> Iterator[tuple[Path, Manifest]]:
    """The folder that a bundle holds, for as long as it is looked at; NoBundle where it is none or not whole."""
    with tempfile.TemporaryDirectory(prefix="paramedic-") as made:  # mode 0700
        folder = Path(made)
        yield folder, _unpack_into(folder, file)


def _unpack_into(folder: Path, file: Path) -> Manifest:
    try:
        tar = tarfile.open(file, "r:*")  # noqa: SIM115 (closed below; opening has its own sentence)
    except FileNotFoundError:
        raise UsageError(f"there is no file {file}") from None
    except PermissionError:
        raise UsageError(f"{file} may not be read by you") from None
    except _UNREADABLE as problem:
        raise NoBundle(f"{file} is no recording of Paramedic, or it is cut off: it cannot be unpacked") from problem
    with tar:
        manifest = _manifest(tar, file)
        if sum(part.bytes for part in manifest.parts) > LIMIT:
            raise NoBundle(f"{file} would unpack to more than {LIMIT // BLOCK} MB. Nothing was unpacked.")
        missing = {part.name: part for part in manifest.parts}
        while (entry := _next(tar, file)) is not None:
            part = missing.pop(entry.name, None)
            content = tar.extractfile(entry) if entry.isreg() else None
            if part is None or content is None or entry.size != part.bytes:
                raise foreign(str(file), entry.name)
            _unpack_part(content, part, file, folder)
        if missing:
            raise _torn(file, f"{', '.join(sorted(missing))} is missing")
        _read_to_the_end(tar, file)
    return manifest


def _read_to_the_end(tar: tarfile.TarFile, file: Path) -> None:
    """What follows the last part is padding and a checksum over all of it."""
    try:
        rest = tar.fileobj.read(BLOCK) if tar.fileobj is not None else b""
    except _UNREADABLE as problem:
        raise _torn(file, "it ends too early") from problem
    if rest.strip(b"\0"):
        raise _torn(file, "something follows its end")


def _manifest(tar: tarfile.TarFile, file: Path) -> Manifest:
    first = _next(tar, file)
    if first is None or first.name != MANIFEST or not first.isreg() or first.size > MANIFEST_LIMIT:
        raise NoBundle(
            f"{file} is no recording of Paramedic: it does not begin with a {MANIFEST}. "
            "Is it a packed folder? Unpack it, and give the folder."
        )
    content = tar.extractfile(first)
    return read_manifest(b"" if content is None else _read(content, first.size, file), str(file))


def _unpack_part(content: IO[bytes], part: Part, file: Path, folder: Path) -> None:
    digest, left = hashlib.sha256(), part.bytes
    packed = zlib.decompressobj(wbits=31) if part.name.endswith(".gz") else None
    inside = 0
    with (folder / part.name).open("xb") as out:  # the manifest has no name that leads out of the folder
        while left:
            block = _read(content, min(left, BLOCK), file)
            digest.update(block)
            out.write(block)
            left -= len(block)
            if packed is not None:
                inside += _size_inside(packed, block, part, file, LIMIT - inside)
    if digest.hexdigest() != part.sha256:
        raise _torn(file, f"{part.name} is not as it was")


def _size_inside(packed: "zlib._Decompress", block: bytes, part: Part, file: Path, limit: int) -> int:
    """What a packed part unpacks to is counted before anybody reads it: a small file may hold gigabytes."""
    size = 0
    try:
        while block:
            size += len(packed.decompress(block, BLOCK))
            block = packed.unconsumed_tail
            if size > limit:
                raise NoBundle(f"{file}: its {part.name} would unpack to more than {LIMIT // BLOCK} MB")
    except zlib.error as problem:
        raise _torn(file, f"{part.name} cannot be unpacked") from problem
    return size


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


def _torn(file: Path, why: str) -> NoBundle:
    return NoBundle(f"{file} is cut off or damaged: {why}. Ask for it again.")
