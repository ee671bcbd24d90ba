"""A log file that grows, is rotated, truncated, or torn in the middle of a line."""

import os
from pathlib import Path

from paramedic.ports import LogChunk

BURST = 1024 * 1024  # bytes given a call; what lies before is counted, not given
COUNTED = 256 * 1024 * 1024  # bytes counted a call, so that a huge old log holds nobody up
CLOSED = -1
HEAD = 64  # bytes that tell whether a file was emptied and written anew


class FileLog:
    """Reads on from where it stopped. The file is kept open, so a renamed one is read to its end before the new one."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._file = CLOSED
        self._offset = 0
        self._line = 1
        self._head = b""

    def new_lines(self) -> LogChunk:
        """Whole lines since the last call; of more than 1 MB at once only the last 1 MB, rightly numbered."""
        try:
            return self._read_on()
        except OSError:
            self.close()
            return LogChunk(str(self.path), self._line, ())

    def tail(self, max_bytes: int) -> LogChunk:
        """The last lines, a torn last one included: it may be a process's last word. Does not move `new_lines`."""
        try:
            return self._read_tail(max_bytes)
        except OSError:
            return LogChunk(str(self.path), 1, ())

    def close(self) -> None:
        if self._file != CLOSED:
            os.close(self._file)
            self._file = CLOSED

    def _read_on(self) -> LogChunk:
        self._open_or_start_again()
        chunk = self._next_chunk()
        if not chunk.lines and self._was_replaced():
            self.close()
            self._open_or_start_again()
            chunk = self._next_chunk()
        return chunk

    def _open_or_start_again(self) -> None:
        if self._file == CLOSED:
            self._file = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a pipe holds nobody up
            self._offset, self._line, self._head = 0, 1, b""
        elif self._size() < self._offset or not self._at(0, HEAD).startswith(self._head):
            self._offset, self._line, self._head = 0, 1, b""
        if len(self._head) < HEAD:
            self._head = self._at(0, HEAD)

    def _was_replaced(self) -> bool:
        try:
            return not os.path.samestat(os.fstat(self._file), self.path.stat())
        except FileNotFoundError:
            return False  # moved away, and nothing new is there yet

    def _next_chunk(self) -> LogChunk:
        if not self._skip_to(self._size() - BURST):
            return LogChunk(str(self.path), self._line, ())
        block = self._at(self._offset, BURST)
        end = block.rfind(b"\n") + 1
        if end == 0 and len(block) == BURST:
            self._offset += BURST  # one line of more than a megabyte: its end will stand for it
        first, lines = self._line, _decode(block[:end])
        self._offset += end
        self._line += len(lines)
        return LogChunk(str(self.path), first, lines)

    def _skip_to(self, offset: int) -> bool:
        """Count up to the first line that begins at or after `offset`. False: not there yet, go on next time."""
        left = COUNTED
        while self._offset < offset and left > 0:
            block = self._at(self._offset, min(BURST, offset - self._offset))
            self._line += block.count(b"\n")
            self._offset += len(block)
            left -= len(block)
            if not block:
                break
            if self._offset >= offset and not block.endswith(b"\n"):
                self._to_next_line()
        return self._offset >= offset

    def _to_next_line(self) -> None:
        block = self._at(self._offset, BURST)
        end = block.find(b"\n") + 1
        self._offset += end
        self._line += 1 if end else 0

    def _read_tail(self, max_bytes: int) -> LogChunk:
        self._open_or_start_again()
        if self._was_replaced():
            return _fresh_tail(self.path, max_bytes)
        start = max(0, self._size() - max_bytes)
        block = self._at(start, max_bytes)
        if start and self._at(start - 1, 1) != b"\n":  # begins inside a line: leave that one out
            cut = block.find(b"\n") + 1
            start, block = start + cut, block[cut:] if cut else b""
        return LogChunk(str(self.path), self._line_at(start), _decode(block))

    def _line_at(self, offset: int) -> int:
        low, high = sorted((offset, self._offset))
        count = 0
        while low < high:
            block = self._at(low, min(BURST, high - low))
            if not block:
                break
            count += block.count(b"\n")
            low += len(block)
        return self._line + count if offset > self._offset else self._line - count

    def _size(self) -> int:
        return os.fstat(self._file).st_size

    def _at(self, offset: int, length: int) -> bytes:
        return os.pread(self._file, length, offset)


def _fresh_tail(path: Path, max_bytes: int) -> LogChunk:
    """The tail of a file that took the place of the one that is being read to its end."""
    fresh = FileLog(path)
    try:
        return fresh.tail(max_bytes)
    finally:
        fresh.close()


def _decode(block: bytes) -> tuple[str, ...]:
    """Lines as text: bytes that are no UTF-8 are shown as such, and the holes of an emptied file are left out."""
    if not block:
        return ()
    lines = block.removesuffix(b"\n").split(b"\n")
    return tuple(line.strip(b"\0").rstrip(b"\r").decode(errors="replace") for line in lines)
