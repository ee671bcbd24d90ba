"""`paramedic incidents`: what went wrong, newest first."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from paramedic.cli.options import data_dir_option, json_option, lang_option, print_json
from paramedic.model.text import Language

if TYPE_CHECKING:
    from paramedic.journal.views import IncidentView


@click.command("incidents", short_help="List incidents, newest first.")
@data_dir_option
@click.option("--open", "only_open", is_flag=True, help="Only those that are not resolved.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="At most so many.")
@json_option
@lang_option
def command(data_dir: Path, only_open: bool, limit: int, as_json: bool, lang: Language) -> None:
    """List incidents, newest first: from the data folder, whether somebody watches or not.

    \b
    Examples:
      paramedic incidents --open
      paramedic incidents --json --limit 1 | jq -r '.[0].diagnosis.findings[0].cause'

    \b
    Exit codes: 0 listed (also when there are none), 3 could not tell (nothing was ever watched here).
    """
    from paramedic.app.reading import read_view

    incidents = [one for one in reversed(read_view(data_dir).incidents.values()) if one.open or not only_open][:limit]
    if as_json:
        from paramedic.journal.plain import to_plain

        print_json([to_plain(incident) | {"open": incident.open} for incident in incidents])
        return
    _show(incidents, lang)


def _show(incidents: "list[IncidentView]", lang: Language) -> None:
    from paramedic.cli.screens import incidents as screen

    if not sys.stdout.isatty():
        click.echo(screen.plain(incidents, time.time_ns(), lang))
        return
    from rich.console import Console

    console = Console()
    console.print(screen.render(incidents, time.time_ns(), lang, console.width))
