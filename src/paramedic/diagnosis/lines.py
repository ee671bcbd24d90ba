"""The lines of a log that stays where it is: read in blocks, and again only where somebody looks."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, overload

BLOCK = 512 * 1024
LONGEST_LINE = 64 * 1024  # bytes; no message is longer, a binary file's "line" may be the whole of it
LARGE = 64 * 1024 * 1024  # a text for which it pays to load numpy, which counts line ends four times as fast
NEAR = 40  # lines: who looks up so far need not split the block
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


class Block:
    """Whole lines: the first `size` bytes of `data`; the number of the first is `first` (from 0)."""

    __slots__ = ("_at", "_ends_in", "_number", "data", "first", "size")

    def __init__(self, first: int, data: bytes, size: int, ends_in: "EndsIn") -> None:
        self.first, self.data, self.size = first, data, size
        self._at, self._number, self._ends_in = 0, first, ends_in

    def number_at(self, offset: int) -> int:
        """The number of the line that begins here. To be asked from the begin to the end: what is counted stays so."""
        self._number += self._ends_in(self.data, self._at, offset)
        self._at = offset
        return self._number

    def line(self, number: int) -> bytes | None:
        """A line that stands on or shortly above the one that was asked about last; None for any other."""
        steps = self._number - number
        if number < self.first or not 0 <= steps <= NEAR:
            return None
        start = self._at
        for _ in range(steps):
            start = self.data.rfind(b"\n", 0, start - 1) + 1
        end = self.data.find(b"\n", start)
        return self.data[start : end if end >= 0 else len(self.data)]

    def pieces(self, size: int) -> Iterator["Block"]:
        """The same lines in smaller blocks."""
        start = 0
        while start < self.size:
            end = self.data.find(b"\n", start + size, self.size) + 1 or self.size
            yield Block(self.number_at(start), self.data[start:end], end - start, self._ends_in)
            start = end


EndsIn = Callable[[bytes, int, int], int]  # the line ends in a part of a text


class Lines(Sequence[str]):
    """Lines without their ends. Reading them in order costs one pass; any other look reads one block again."""

    def __init__(self, source: Bytes) -> None:
        self._source = source
        self._starts: list[int] = []  # where each block begins, and
        self._firsts: list[int] = []  # with which line
        self._end = 0  # how far the blocks are known
        self._count = 0  # the lines until there
        self._ends_in = _counted_by_numpy if source.size > LARGE else _counted
        self._split: dict[int, list[bytes]] = {}
        self._current: Block | None = None  # that somebody reads who goes through them in order
        self.watch: Callable[[int], None] = lambda _: None  # told of the bytes of each block that is read in order

    @property
    def size(self) -> int:
        """Bytes."""
        return self._source.size

    def blocks(self) -> Iterator[Block]:
        """The whole log in order."""
        position = 0
        while True:
            if position < len(self._starts):
                data = self._read(position)
                self._current = Block(self._firsts[position], data, len(data), self._ends_in)
                yield self._current
            elif (found := self._next()) is not None:
                self.watch(found[0].size)
                self._current = found[0]
                yield found[0]
                if position == len(self._starts):  # else somebody has looked into it meanwhile
                    self._pass(*found)
            else:
                self._current = None
                return
            position += 1

    def __len__(self) -> int:
        while self._skip():
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
        if self._current is not None and (line := self._current.line(index)) is not None:
            return as_text(line)
        while index >= self._count and self._skip():
            pass
        if not 0 <= index < self._count:
            raise IndexError(index)
        position = bisect_right(self._firsts, index) - 1
        lines = self._lines(position)
        place = index - self._firsts[position]
        return as_text(lines[place]) if place < len(lines) else ""  # gone meanwhile, or a line too long to keep

    def __iter__(self) -> Iterator[str]:
        for block in self.blocks():
            yield from map(as_text, _split(block.data[: block.size]))

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

    def _next(self) -> tuple[Block, int] | None:
        """The first block that is not known yet, and its length in the text. It ends with a line: none is torn."""
        data = self._source.at(self._end, BLOCK)
        if not data:
            return None
        length = len(data)
        if self._end + length < self._source.size and (length := data.rfind(b"\n") + 1) == 0:
            data, length = self._of_endless_line(self._end)
        return Block(self._count, data, min(length, len(data)), self._ends_in), length

    def _pass(self, block: Block, length: int) -> None:
        self._starts.append(self._end)
        self._firsts.append(self._count)
        self._end += length
        has_end = block.data.endswith(b"\n", 0, block.size)
        self._count = max(block.first + 1, block.number_at(block.size) + (not has_end))

    def _skip(self) -> bool:
        found = self._next()
        if found is not None:
            self._pass(*found)
        return found is not None

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


def _counted(data: bytes, first: int, last: int) -> int:
    return data.count(b"\n", first, last)


def _counted_by_numpy(data: bytes, first: int, last: int) -> int:
    if last - first < SMALL:
        return _counted(data, first, last)
    import numpy as np

    return int(np.count_nonzero(np.frombuffer(data, np.uint8, last - first, first) == 10))


def _split(data: bytes) -> list[bytes]:
    lines = data.split(b"\n")
    if len(lines) > 1 and not lines[-1]:
        lines.pop()
    return lines
