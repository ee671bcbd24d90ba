"""Telling whoever looks at the terminal: one line a message."""

from collections.abc import Callable

from paramedic.ports import Message, Receipt


class TerminalNotifier:
    """Prints through `print_line`, which takes one line of plain text."""

    name = "terminal"

    def __init__(self, print_line: Callable[[str], None]) -> None:
        self._print_line = print_line

    async def deliver(self, message: Message) -> Receipt:
        words = [message.level, message.incident, message.target, message.title]
        try:
            self._print_line(" ".join(_plain(word) for word in words if word))
        except OSError:  # the terminal was closed
            return Receipt(ok=False, detail="the terminal is gone", retry=False)
        return Receipt(ok=True, detail="shown")


def _plain(text: str) -> str:
    """One line without control characters: a log line in a title must not steer the terminal."""
    return "".join(sign if sign.isprintable() else " " for sign in text)
