"""The three ways in which `watch` shows what happens: a live view, a line an event, a JSON object an event."""

import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from paramedic.journal.codec import Entry, document
from paramedic.model.text import Language

if TYPE_CHECKING:
    from paramedic.pipeline.board import Board


class Show(Protocol):
    """Where a running watch shows itself. `close` leaves the terminal as it was found."""

    def note(self, text: str) -> None:
        """A sentence about this run of `watch`."""

    def entry(self, entry: Entry) -> None: ...

    def board(self, make: Callable[[], "Board"]) -> None:
        """Called once a second; `make` is only called where a board is drawn."""

    def close(self) -> None: ...


def choose(*, as_json: bool, lang: Language) -> Show:
    """JSON where asked, the live view on a terminal, lines elsewhere."""
    if as_json:
        return JsonShow()
    return LiveShow(lang) if sys.stdout.isatty() else LineShow(lang)


class JsonShow:
    """One JSON object a line on standard output; sentences go to standard error."""

    def note(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)  # noqa: T201

    def entry(self, entry: Entry) -> None:
        self.document(document(entry))

    def document(self, fields: dict[str, Any]) -> None:
        print(json.dumps(fields, ensure_ascii=False), flush=True)  # noqa: T201

    def board(self, make: Callable[[], "Board"]) -> None:
        """Machines read the events."""

    def close(self) -> None:
        """Nothing to put back."""


class LineShow:
    """One line an event."""

    def __init__(self, lang: Language) -> None:
        self._lang = lang

    def note(self, text: str) -> None:
        print(text, flush=True)  # noqa: T201

    def entry(self, entry: Entry) -> None:
        from paramedic.cli.screens.events import line

        if text := line(entry, self._lang):
            self.note(text)

    def board(self, make: Callable[[], "Board"]) -> None:
        """A pipe has no screen."""

    def close(self) -> None:
        """Nothing to put back."""


class LiveShow:
    """The board, drawn anew once a second, with the last events below it: as many as the screen has room for."""

    _FEWEST, _MOST = 6, 200

    def __init__(self, lang: Language) -> None:
        from rich.console import Console
        from rich.live import Live

        self._lang = lang
        self._console = Console()
        self._live = Live(console=self._console, auto_refresh=False, screen=False, vertical_overflow="crop")
        self._notes: list[str] = []
        self._events: list[str] = []
        self._live.start()

    def note(self, text: str) -> None:
        self._notes = [*self._notes, text][-3:]

    def entry(self, entry: Entry) -> None:
        from paramedic.cli.screens.events import line

        if text := line(entry, self._lang):
            self._events = [*self._events, text][-self._MOST :]

    def board(self, make: Callable[[], "Board"]) -> None:
        from rich.console import Group
        from rich.text import Text as RichText

        from paramedic.cli.screens.board import render

        board = render(make(), self._lang, self._console.width)
        above = [RichText(text, style="cyan") for text in self._notes]
        room = self._console.height - len(above) - len(board.renderables) - 2  # the cursor's line and one between
        told = self._events[-max(room, self._FEWEST) :]
        below = [RichText(text, style="dim", overflow="ellipsis", no_wrap=True) for text in told]
        self._live.update(Group(*above, board, RichText(), *below), refresh=True)

    def close(self) -> None:
        self._live.stop()
