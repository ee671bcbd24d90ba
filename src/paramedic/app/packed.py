"""A tar file that begins with a manifest of its parts, read piece by piece: just what that says, or refused."""

import hashlib
import lzma
import os
import tarfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from paramedic.model.errors import UsageError

MANIFEST = "manifest.json"
BLOCK = 1024 * 1024
UNREADABLE = (tarfile.TarError, EOFError, OSError, ValueError, zlib.error, lzma.LZMAError)  # torn, or another's

Refusal = Callable[[str], UsageError]


@dataclass(frozen=True, slots=True)
class Part:
    """One file in it."""

    name: str
    bytes: int
    sha256: str


class PackedFile:
    """Open in a `with`. `torn` makes the refusal of a file that is not whole, from the reason why."""

    def __init__(self, file: Path, mode: Literal["r:gz", "r:*"], torn: Refusal, none: UsageError) -> None:
        """Raises `none` where it is no such archive, UsageError where there is no file, or none that may be read."""
        self._torn = torn
        try:
            self._tar = tarfile.open(file, mode)  # noqa: SIM115 (closed by `with`; opening has its own sentences)
        except FileNotFoundError:
            raise UsageError(f"there is no file {file}") from None
        except PermissionError:
            raise UsageError(f"{file} may not be read by you") from None
        except UNREADABLE as problem:
            raise none from problem

    def __enter__(self) -> "PackedFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._tar.close()

    def manifest(self, limit: int) -> bytes | None:
        """Its first part; None where it begins with anything else, or with one of more than `limit` bytes."""
        first = self._next()
        if first is None or first.name != MANIFEST or not first.isreg() or first.size > limit:
            return None
        content = self._tar.extractfile(first)
        return b"" if content is None else self._read(content, first.size)

    def unpack(
        self,
        parts: Iterable[Part],
        folder: Path,
        foreign: Refusal,
        look: Callable[[Part, bytes], None] = lambda part, block: None,
    ) -> None:
        """Write every part below `folder`; `look` sees each block of it, and may refuse.

        The names in the manifest must have been judged. `foreign` makes the refusal of a part that it does not name.
        """
        missing = {part.name: part for part in parts}
        while (entry := self._next()) is not None:
            part = missing.pop(entry.name, None)
            content = self._tar.extractfile(entry) if entry.isreg() else None
            if part is None or content is None or entry.size != part.bytes:
                raise foreign(entry.name)
            self._unpack_part(content, part, folder / part.name, look)
        self._read_to_the_end()
        if missing:
            raise self._torn(f"{', '.join(sorted(missing))} is missing")

    def _unpack_part(self, content: IO[bytes], part: Part, path: Path, look: Callable[[Part, bytes], None]) -> None:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        digest, left = hashlib.sha256(), part.bytes
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:  # noqa: PTH123 (a descriptor)
            while left:
                block = self._read(content, min(left, BLOCK))
                digest.update(block)
                out.write(block)
                left -= len(block)
                look(part, block)
        if digest.hexdigest() != part.sha256:
            raise self._torn(f"{part.name} is not as it was")

    def _read_to_the_end(self) -> None:
        """What follows the last part is padding and a checksum over all of it."""
        try:
            rest = self._tar.fileobj.read(BLOCK + 1) if self._tar.fileobj is not None else b""
        except UNREADABLE as problem:
            raise self._torn("it ends too early or cannot be unpacked") from problem
        if rest.strip(b"\0"):
            raise self._torn("something follows its end")

    def _next(self) -> tarfile.TarInfo | None:
        try:
            return self._tar.next()
        except UNREADABLE as problem:
            raise self._torn("it ends too early or cannot be unpacked") from problem

    def _read(self, content: IO[bytes], size: int) -> bytes:
        try:
            block = content.read(size)
        except UNREADABLE as problem:
            raise self._torn("it ends too early or cannot be unpacked") from problem
        if len(block) != size:
            raise self._torn("it ends too early")
        return block
