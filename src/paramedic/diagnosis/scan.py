"""The few lines of a log that can hold a message that somebody looks for; the others cost nothing."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from paramedic.diagnosis.anchor import choose_anchors
from paramedic.diagnosis.lines import Block, Lines, as_text
from paramedic.diagnosis.literals import literals_of
from paramedic.diagnosis.template import Template

Item = TypeVar("Item")
FLOOD = 30_000  # times that one literal is told of; from then on once in PIECE bytes, and fully again near the end
PIECE = 128 * 1024
NEAR_END = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Spot(Generic[Item]):
    """A line that holds anchors, and what these stand for."""

    index: int
    raw: str
    items: Sequence[Item]


class Anchors(Generic[Item]):
    """What each anchor of a set of templates stands for."""

    def __init__(self, entries: Iterable[tuple[Template, Item]]) -> None:
        by_literal: dict[bytes, list[Item]] = {}
        items = list(entries)
        chosen = choose_anchors(tuple(template.pieces for template, _ in items))
        for (_, item), anchors in zip(items, chosen, strict=True):
            for anchor in anchors:
                by_literal.setdefault(anchor.encode(), []).append(item)
        self.literals = tuple(by_literal)
        self._items = tuple(by_literal.values())

    def spots(self, lines: Lines, done_with: Callable[[Sequence[Item]], bool]) -> Iterator[Spot[Item]]:
        """The lines with anchors, in order, but those whose anchors' items the reader says it is done with."""
        counts = [0] * len(self.literals)
        seldom: frozenset[int] = frozenset()
        offset = 0
        for block in lines.blocks():
            offset += block.size
            thinned = seldom if offset < lines.size - NEAR_END else frozenset[int]()
            scanner = literals_of(self.literals, thinned)
            for piece in block.pieces(PIECE) if thinned else (block,):
                found = scanner.find(piece.data)
                for start, end, anchors in _by_line(piece, found):
                    for anchor in anchors:
                        counts[anchor] += 1
                    wanted = [self._items[anchor] for anchor in anchors if not done_with(self._items[anchor])]
                    if wanted:
                        yield Spot(piece.number_at(start), as_text(piece.data[start:end]), _once(wanted))
            if max(counts, default=0) > FLOOD:
                seldom |= {which for which, count in enumerate(counts) if count > FLOOD}
                counts = [0 if which in seldom else count for which, count in enumerate(counts)]


def _by_line(block: Block, found: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int, Sequence[int]]]:
    """The literals by the line on which they end: where it begins, where it ends, which they are."""
    position = 0
    while position < len(found) and found[position][0] <= block.size:  # what follows is a torn line
        start = block.data.rfind(b"\n", 0, found[position][0] - 1) + 1
        end = block.data.find(b"\n", start)
        end = len(block.data) if end < 0 else end
        first = position
        while position < len(found) and found[position][0] <= end:
            position += 1
        yield start, end, [which for _, which in found[first:position]]


def _once(groups: Sequence[Sequence[Item]]) -> Sequence[Item]:
    return groups[0] if len(groups) == 1 else list(dict.fromkeys(item for group in groups for item in group))
