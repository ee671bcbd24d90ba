"""`paramedic explain`: the chain of events behind an alert, an incident or an action."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from paramedic.cli.completion import any_id
from paramedic.cli.options import data_dir_option, json_option, lang_option, print_json
from paramedic.model.errors import UsageError
from paramedic.model.text import Language, Text

if TYPE_CHECKING:
    from paramedic.cli.screens.story import Story
    from paramedic.journal.codec import Entry

_RECORDED = Text("Recorded in {}: paramedic diagnose --incident {}", "录制在 {}：paramedic diagnose --incident {}")
_NOTHING = Text("No incident yet: nothing to explain.", "还没有事件，没有可说明的。")
_LAST_SHOWN = 5


@click.command("explain", short_help="Tell the chain of events behind an alert, an incident or an action.")
@click.argument("name", metavar="[ALERT|INCIDENT|ACTION]", required=False, shell_complete=any_id)
@data_dir_option
@json_option
@lang_option
def command(name: str | None, data_dir: Path, as_json: bool, lang: Language) -> None:
    """Tell the chain of events behind an alert, an incident or an action; without a name, the latest incident's.

    \b
    Examples:
      paramedic explain
      paramedic explain INC-2026-0042
      paramedic explain engine-dead-3f2a91c0 --json | jq '.events[].type'

    \b
    Exit codes: 0 told, 2 there is no such thing, 3 could not tell (nothing was ever watched here).
    """
    from paramedic.app.reading import read_entries

    entries = list(read_entries(data_dir))
    story = _story(entries, name)
    if as_json:
        print_json(_document(story) if story else None)
    elif story is None:
        click.echo(_NOTHING.in_language(lang))
    else:
        _show(story, lang)
        _tell_recording(story, data_dir, lang)


def _tell_recording(story: "Story", data_dir: Path, lang: Language) -> None:
    """Where the flight recorder's bundle of the incident lies, if one was saved."""
    from paramedic.app.folder import DataFolder

    name = story.incident.id if story.incident else ""
    bundle = DataFolder(data_dir).incidents / f"{name}.tar.gz"
    if name and bundle.exists():
        click.echo(_RECORDED.in_language(lang).format(bundle, name))


def _story(entries: "list[Entry]", name: str | None) -> "Story | None":
    from paramedic.cli.screens.story import Story
    from paramedic.journal.fold import fold
    from paramedic.journal.timeline import known_names, story

    view = fold(entries)
    if name is None:
        if not view.incidents:
            return None
        name = next(reversed(view.incidents))
    names = {known.lower(): known for known in known_names(entries)}
    known = names.get(name.lower())
    if known is None:
        raise UsageError(_unknown(name, list(names.values())))
    return Story.of(known, story(entries, known), view, time.time_ns())


def _unknown(name: str, known: list[str]) -> str:
    from paramedic.knowledge.yaml_file import did_you_mean

    hint = did_you_mean(name, known)
    last = ", ".join(reversed(known[-_LAST_SHOWN:]))
    meant = f" ({hint})" if hint else ""
    return f"there is no alert, incident or action {name!r}{meant}" + (f"; the last ones are {last}" if last else "")


def _document(story: "Story") -> dict[str, Any]:
    """The story for machines."""
    from paramedic.journal.codec import document
    from paramedic.journal.plain import to_plain

    incident = story.incident
    first = story.entries[0].at
    return {
        "id": story.name,
        "incident": None if incident is None else to_plain(incident) | {"open": incident.open},
        "alerts": [to_plain(alert) for alert in story.alerts],
        "actions": [to_plain(action) for action in story.actions],
        "deliveries": [to_plain(delivery) for delivery in story.deliveries],
        "events": [document(entry) | {"after_s": (entry.at - first) / 1e9} for entry in story.entries],
    }


def _show(story: "Story", lang: Language) -> None:
    from paramedic.cli.screens import story as screen

    if not sys.stdout.isatty():
        click.echo(screen.plain(story, lang))
        return
    from rich.console import Console

    console = Console()
    console.print(screen.render(story, lang, console.width))
