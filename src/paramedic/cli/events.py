"""`paramedic events`: what the journal says, a line an event."""

import json
import time
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from paramedic.cli.completion import watched_server
from paramedic.cli.options import data_dir_option, lang_option
from paramedic.model.errors import UsageError
from paramedic.model.text import Language

if TYPE_CHECKING:
    from paramedic.journal.codec import Entry

LOOK_EVERY = 0.25  # seconds
_LAST_WHEN_FOLLOWING = 10


@click.command("events", short_help="Print what the journal says, a line an event, and follow it.")
@click.option("--follow", "-f", is_flag=True, help="Go on with what comes, until Ctrl-C.")
@click.option("--after", type=click.IntRange(0), metavar="N", help="Only events with a number above N.")
@click.option("--last", type=click.IntRange(0), metavar="N", help="Only the last N.  [default: all; 10 with --follow]")
@click.option(
    "--target", metavar="NAME", help="Only of this server: its name, or how it begins.", shell_complete=watched_server
)
@click.option(
    "--type",
    "types",
    multiple=True,
    metavar="NAME",
    help="Only of this type, such as ActionStarted; may be given again.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object an event, as `watch --json` prints them.")
@data_dir_option
@lang_option
def command(
    follow: bool,
    after: int | None,
    last: int | None,
    target: str | None,
    types: tuple[str, ...],
    as_json: bool,
    data_dir: Path,
    lang: Language,
) -> None:
    """Print what the journal says, a line an event: its number, when, what. Whether somebody watches or not.

    What is only for machines has no line; --json prints everything.

    \b
    Examples:
      paramedic events --last 20
      paramedic events --follow --target qwen3-8b
      paramedic events --type ActionFinished --json | jq -r '[.target, .outcome] | @tsv'

    \b
    Exit codes: 0 printed, 2 there is no such server or type, 3 could not tell (nothing was ever watched here).
    """
    chosen = _Chosen(data_dir, after or 0, target, frozenset(map(_type_named, types)))
    if last is None and follow and after is None:
        last = _LAST_WHEN_FOLLOWING
    try:
        _print(deque(_lines(chosen.new(), as_json, lang), last))
        while follow:
            time.sleep(LOOK_EVERY)
            _print(_lines(chosen.new(), as_json, lang))
    except KeyboardInterrupt:
        return  # the person has seen enough


class _Chosen:
    """The entries that were asked for, as the journal grows."""

    def __init__(self, folder: Path, after: int, target: str | None, types: frozenset[str]) -> None:
        from paramedic.journal.fold import fold
        from paramedic.journal.views import View

        self._folder = folder
        self._after = after
        self._types = types
        self._fold = fold
        self._view = View()
        self._target = target and self._server_named(target)

    def new(self) -> "Iterator[Entry]":
        """What has come since the last time."""
        from paramedic.app.reading import read_entries
        from paramedic.journal.about import target_of

        for entry in read_entries(self._folder, self._view.last_seq):
            self._fold([entry], self._view)
            if entry.seq <= self._after:
                continue
            if self._types and type(entry.event).__name__ not in self._types:
                continue
            if self._target is None or target_of(entry.event, self._view) == self._target:
                yield entry

    def _server_named(self, word: str) -> str:
        """Also one that is not watched any more."""
        from paramedic.app.reading import read_view
        from paramedic.recovery.by_hand import full_name

        return full_name(word, list(read_view(self._folder).targets))


def _type_named(word: str) -> str:
    from paramedic.journal.codec import event_types
    from paramedic.knowledge.yaml_file import did_you_mean

    names = {kind.__name__.lower(): kind.__name__ for kind in event_types()}
    if word.lower() in names:
        return names[word.lower()]
    hint = did_you_mean(word, names.values())
    raise UsageError(f"--type: there is no event {word!r}; {hint or 'they are: ' + ', '.join(sorted(names.values()))}")


def _lines(entries: "Iterable[Entry]", as_json: bool, lang: Language) -> Iterator[str]:
    from paramedic.cli.screens.events import numbered_line
    from paramedic.journal.codec import document

    for entry in entries:
        text = json.dumps(document(entry), ensure_ascii=False) if as_json else numbered_line(entry, lang)
        if text is not None:
            yield text


def _print(lines: Iterable[str]) -> None:
    for text in lines:
        click.echo(text)
