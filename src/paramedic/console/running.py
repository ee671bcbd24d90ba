"""What the console asks of a running daemon."""

from typing import Protocol

from paramedic.journal.codec import Entry
from paramedic.pipeline.board import Board


class Running(Protocol):
    """A daemon that watches. Commands raise UsageError with a sentence: unknown, not waiting, already over."""

    def board(self) -> Board: ...

    def entries(self, after: int) -> list[Entry]:
        """The journal's entries with a number above `after`, in order."""

    async def wait_for_entries(self, after: int, timeout: float) -> list[Entry]:
        """As `entries`, but waits up to `timeout` seconds for the first one; empty when none came."""

    def approve(self, action: str, by: str) -> None: ...

    def reject(self, action: str, by: str, reason: str) -> None: ...

    def stop(self, by: str) -> None:
        """Begin to stop; returns at once."""
