"""Finding any of many fixed pieces of text in a block of a log, all at once."""

from collections.abc import Sequence
from functools import lru_cache
from threading import Lock
from typing import Protocol


class Literals(Protocol):
    """A scanner for one set of literals without zeros in them, each known by its position in the set."""

    def find(self, block: bytes) -> list[tuple[int, int]]:
        """Where they stand, overlapping ones too: (offset of its end, which), in the order of their ends."""
        ...


class HyperscanLiterals:
    """All literals in one pass, at about the speed of memory. Of `seldom` ones a block tells the first place only."""

    def __init__(self, literals: Sequence[bytes], seldom: frozenset[int] = frozenset()) -> None:
        """Raises ImportError where it cannot work: no build for this platform, or a processor too old for it."""
        import hyperscan

        self._database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        self._one_at_a_time = Lock()  # two diagnoses run in two threads; the database has room to work for one
        self._is_empty = not literals
        flags = [hyperscan.HS_FLAG_SINGLEMATCH * (which in seldom) for which in range(len(literals))]
        try:
            if literals:
                self._database.compile(list(literals), list(range(len(literals))), flags=flags, literal=True)
        except hyperscan.ArchitectureError as error:
            raise ImportError("hyperscan: this processor lacks SSSE3") from error

    def find(self, block: bytes) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []

        def note(which: int, _from: int, to: int, _flags: int, _context: object) -> None:
            found.append((to, which))

        if block and not self._is_empty:
            with self._one_at_a_time:
                self._database.scan(block, match_event_handler=note)
        found.sort()
        return found


class PlainLiterals:
    """The same with nothing but Python: one search a literal, a hundred times as slow."""

    def __init__(self, literals: Sequence[bytes], seldom: frozenset[int] = frozenset()) -> None:
        self._literals = literals
        self._seldom = seldom

    def find(self, block: bytes) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        for which, literal in enumerate(self._literals):
            place = block.find(literal)
            while place >= 0:
                found.append((place + len(literal), which))
                place = -1 if which in self._seldom else block.find(literal, place + 1)
        found.sort()
        return found


@lru_cache(maxsize=8)
def literals_of(literals: tuple[bytes, ...], seldom: frozenset[int] = frozenset()) -> Literals:
    """The fastest scanner that this machine has; made once for one set."""
    try:
        return HyperscanLiterals(literals, seldom)
    except ImportError:
        return PlainLiterals(literals, seldom)
