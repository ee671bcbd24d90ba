"""The bytes of a log, wherever they come from: a plain file stays where it is, anything else is laid down unpacked."""

import gzip
import io
import os
import shutil
import stat
import sys
import tempfile
import weakref
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

MB = 1024 * 1024
BLOCK = MB
IN_MEMORY = 32 * MB  # of what is unpacked; more goes into a file that nobody else sees
MOST = 64 * 1024 * MB  # of what is unpacked, however much room there is
GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
BYTE_ORDER_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}


class Damaged(Exception):
    """A packing that cannot be undone. `unpack` is the command that may still get a part of it."""

    def __init__(self, unpack: str) -> None:
        super().__init__(unpack)
        self.unpack = unpack


class FileBytes:
    """A file that is read where it lies. What is written to it later is not seen, and no loss of it hurts."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = os.dup(file.fileno())
        weakref.finalize(self, os.close, self._file)
        self.size = os.fstat(self._file).st_size

    def at(self, offset: int, length: int) -> bytes:
        try:
            return os.pread(self._file, max(0, min(length, self.size - offset)), offset)
        except OSError:
            return b""


class LaidDown:
    """A stream's text, kept until it is asked for; `is_whole` is False where there was no room for all of it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._file = cast("BinaryIO", tempfile.SpooledTemporaryFile(max_size=IN_MEMORY))  # noqa: SIM115
        weakref.finalize(self, self._file.close)
        self.is_whole = True
        self.size = 0
        room = min(MOST, shutil.disk_usage(tempfile.gettempdir()).free // 2)
        for block in _text_blocks(stream):
            if self.size + len(block) > room:
                self.is_whole = False
                break
            self._file.write(block)
            self.size += len(block)

    def at(self, offset: int, length: int) -> bytes:
        self._file.seek(offset)
        return self._file.read(max(0, length))


def open_bytes(path: Path) -> FileBytes | LaidDown:
    """The text of a file in UTF-8; `-` is standard input. Raises OSError, Damaged."""
    if str(path) == "-":
        return LaidDown(sys.stdin.buffer)
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        begin = file.read(64) if stat.S_ISREG(status.st_mode) and status.st_size else b""
        if begin and not begin.startswith((GZIP, ZSTD)) and _encoding(begin) is None:
            return FileBytes(file)
        if begin:
            file.seek(0)
        return LaidDown(file)


def _encoding(begin: bytes) -> str | None:
    """What a byte-order mark says, or zeros at every other place; None: UTF-8, or near enough."""
    marked = next((name for mark, name in BYTE_ORDER_MARKS.items() if begin.startswith(mark)), None)
    if marked or len(begin) < 16:
        return marked
    even, odd = begin[::2].count(0), begin[1::2].count(0)
    if even + odd < len(begin) // 3 or (even and odd):
        return None
    return "utf-16-be" if even else "utf-16-le"


def _text_blocks(stream: BinaryIO) -> Iterator[bytes]:
    """A stream unpacked, in UTF-8; what is broken in another encoding becomes a mark."""
    begin = b""
    while len(begin) < 64 and (more := stream.read(64 - len(begin))):
        begin += more
    whole = io.BufferedReader(_Joined(begin, stream), BLOCK)  # type: ignore[type-var]
    if begin.startswith(GZIP):
        try:
            yield from _text_blocks(cast("BinaryIO", gzip.GzipFile(fileobj=whole)))
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise Damaged("zcat") from error
    elif begin.startswith(ZSTD):
        from backports import zstd

        try:
            yield from _text_blocks(cast("BinaryIO", zstd.ZstdFile(whole)))
        except (zstd.ZstdError, EOFError) as error:
            raise Damaged("zstd -dc") from error
    elif (encoding := _encoding(begin)) is None:
        while block := whole.read(BLOCK):
            yield block
    else:
        text = io.TextIOWrapper(whole, encoding, errors="replace", newline="")
        while chunk := text.read(BLOCK):
            yield chunk.encode(errors="replace")


class _Joined(io.RawIOBase):
    """A stream again from its begin, of which the first bytes were looked at."""

    def __init__(self, begin: bytes, rest: BinaryIO) -> None:
        self._begin = begin
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        data = self._begin[: len(buffer)] or self._rest.read(len(buffer))
        self._begin = self._begin[len(buffer) :]
        buffer[: len(data)] = data
        return len(data)
