"""The lines of a log that stays where it is: read in blocks, and again only where somebody looks."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol, overload

BLOCK = 1024 * 1024
LONGEST_LINE = 64 * 1024  # bytes; no message is longer, a binary file's "line" may be the whole of it
LARGE = 64 * BLOCK  # a text for which it pays to load numpy, which counts line ends four times as fast
SMALL = 16 * 1024  # bytes in which Python counts them sooner
CACHED = 4  # blocks whose lines are kept split


class Bytes(Protocol):
    """A log's text in UTF-8, wherever it lies."""

    @property
    def size(self) -> int: ...

    def at(self, offset: int, length: int) -> bytes:
        """What stands there; less than asked for only at the end. Raises nothing."""
        ...


class Memory:
    """A text that is at hand already."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self.size = len(text)

    def at(self, offset: int, length: int) -> bytes:
        return self._text[offset : offset + length]


class Block(NamedTuple):
    """Whole lines: the number of the first (from 0), and their bytes; the last may lack its line end."""

    first: int
    data: bytes


class Lines(Sequence[str]):
    """Lines without their ends. Reading them in order costs one pass; any other look reads one block again."""

    def __init__(self, source: Bytes) -> None:
        self._source = source
        self._starts: list[int] = []  # where each block begins, and
        self._firsts: list[int] = []  # with which line
        self._end = 0  # how far the blocks are known
        self._count = 0  # the lines until there
        self.count_ends = _counted_by_numpy if source.size > LARGE else _counted
        self._split: dict[int, list[bytes]] = {}
        self.watch: Callable[[int], None] = lambda _: None  # told of the bytes of each block that is read in order

    @property
    def size(self) -> int:
        """Bytes."""
        return self._source.size

    def blocks(self) -> Iterator[Block]:
        """The whole log in order."""
        position = 0
        while position < len(self._starts):
            yield Block(self._firsts[position], self._read(position))
            position += 1
        while (block := self._next()) is not None:
            self.watch(len(block.data))
            yield block

    def __len__(self) -> int:
        while self._next() is not None:
            pass
        return self._count

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        if isinstance(index, slice):
            return _Part(self, range(len(self))[index])
        if index < 0:
            index += len(self)
        while index >= self._count and self._next() is not None:
            pass
        if not 0 <= index < self._count:
            raise IndexError(index)
        position = bisect_right(self._firsts, index) - 1
        lines = self._lines(position)
        place = index - self._firsts[position]
        return as_text(lines[place]) if place < len(lines) else ""  # gone meanwhile, or a line too long to keep

    def __iter__(self) -> Iterator[str]:
        for block in self.blocks():
            yield from map(as_text, _split(block.data))

    def _lines(self, position: int) -> list[bytes]:
        found = self._split.get(position)
        if found is None:
            if len(self._split) >= CACHED:
                del self._split[next(iter(self._split))]
            found = self._split[position] = _split(self._read(position))
        return found

    def _read(self, position: int) -> bytes:
        start = self._starts[position]
        end = self._starts[position + 1] if position + 1 < len(self._starts) else self._end
        return self._source.at(start, end - start) if end - start <= BLOCK else self._of_endless_line(start)[0]

    def _next(self) -> Block | None:
        """The next block that nobody has seen yet: it ends with a line, so no line is torn."""
        start = self._end
        data = self._source.at(start, BLOCK)
        if not data:
            return None
        end = len(data)
        if start + end < self._source.size and (end := data.rfind(b"\n") + 1) == 0:
            data, end = self._of_endless_line(start)
        else:
            data = data[:end]
        block = Block(self._count, data)
        self._starts.append(start)
        self._firsts.append(self._count)
        self._end = start + end
        self._count += max(1, self.count_ends(data) + (not data.endswith(b"\n")))
        return block

    def _of_endless_line(self, start: int) -> tuple[bytes, int]:
        """What is kept of a line longer than a block, and its length: its begin, or its end behind a hole of zeros."""
        head = self._source.at(start, LONGEST_LINE).strip(b"\0")
        offset, last = start, b""
        while data := self._source.at(offset, BLOCK):
            stop = data.find(b"\n")
            tail, last = last + data[: stop if stop >= 0 else BLOCK], data
            if stop >= 0:
                offset += stop + 1
                return head or tail[-LONGEST_LINE:].lstrip(b"\0"), offset - start
            offset += len(data)
        return head or last[-LONGEST_LINE:].lstrip(b"\0"), offset - start


class _Part(Sequence[str]):
    """A stretch of lines that is not read before somebody looks."""

    def __init__(self, lines: Lines, indices: range) -> None:
        self._lines = lines
        self._indices = indices

    def __len__(self) -> int:
        return len(self._indices)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        if isinstance(index, slice):
            return _Part(self._lines, self._indices[index])
        return self._lines[self._indices[index]]


def lines_of(lines: Sequence[str]) -> Lines:
    """Any lines as such; a line end within a line becomes a blank."""
    if isinstance(lines, Lines):
        return lines
    whole = "\n".join(line if "\n" not in line else line.replace("\n", " ") for line in lines)
    return Lines(Memory(whole.encode(errors="replace") + b"\n" if lines else b""))


def as_text(raw: bytes) -> str:
    """A line for reading: bytes that are no UTF-8 are shown as such; a file emptied while written holds zeros."""
    return raw.strip(b"\0")[:LONGEST_LINE].decode(errors="replace")


def _counted(data: bytes) -> int:
    return data.count(b"\n")


def _counted_by_numpy(data: bytes) -> int:
    if len(data) < SMALL:
        return _counted(data)
    import numpy as np

    return int(np.count_nonzero(np.frombuffer(data, np.uint8) == 10))


def _split(data: bytes) -> list[bytes]:
    lines = data.split(b"\n")
    if len(lines) > 1 and not lines[-1]:
        lines.pop()
    return lines
