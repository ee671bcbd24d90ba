"""What the console asks of a running daemon."""

from typing import Protocol

from paramedic.journal.codec import Entry
from paramedic.journal.events import ActionApproved, ActionRejected, ActionRequested, TargetHeld, TargetResumed
from paramedic.pipeline.board import Board


class Running(Protocol):
    """A daemon that watches. Commands give the event that they led to, or raise UsageError with a sentence."""

    def board(self) -> Board: ...

    def entries(self, after: int) -> list[Entry]:
        """The journal's entries with a number above `after`, in order."""

    async def wait_for_entries(self, after: int, timeout: float) -> list[Entry]:
        """As `entries`, but waits up to `timeout` seconds for the first one; empty when none came."""

    def approve(self, action: str, by: str) -> ActionApproved: ...

    def reject(self, action: str, by: str, reason: str) -> ActionRejected: ...

    def hold(self, target: str, by: str, seconds: float | None, reason: str) -> TargetHeld:
        """Keep Paramedic's hands off a server: for so many seconds, or (None) until `resume`."""

    def resume(self, target: str, by: str, reason: str) -> TargetResumed: ...

    def restart(self, target: str, by: str, reason: str) -> ActionRequested:
        """Ask for a restart; it begins at once, the journal tells of its steps and its end."""

    def stop(self, by: str) -> None:
        """Begin to stop; returns at once."""
