"""The journal in memory, for tests and for a look that keeps nothing."""

from collections.abc import Iterator, Sequence

from paramedic.journal.codec import Entry
from paramedic.journal.events import Event


class MemoryJournal:
    """A JournalStore that forgets when the process ends."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self.unwritten = 0
        self.trouble = ""

    def append(self, at: int, events: Sequence[tuple[Event, int | None]]) -> list[Entry]:
        first = len(self._entries) + 1
        entries = [Entry(first + n, at, because, event) for n, (event, because) in enumerate(events)]
        self._entries.extend(entries)
        return entries

    def read(self, after: int = 0) -> Iterator[Entry]:
        yield from self._entries[after:]

    def close(self) -> None:
        """Nothing to let go of."""
