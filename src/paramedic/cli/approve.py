"""`paramedic approve`: let a proposed action happen."""

from pathlib import Path

import click

from paramedic.cli.completion import waiting_action
from paramedic.cli.options import data_dir_option, json_option, lang_option, print_json
from paramedic.cli.person import person_option
from paramedic.model.text import Language, Text

_DONE = Text("{action} is approved by {by}.", "{by} 已批准 {action}。")


@click.command("approve", short_help="Let a proposed action happen.")
@click.argument("action", shell_complete=waiting_action)
@person_option
@data_dir_option
@json_option
@lang_option
def command(action: str, person: str, data_dir: Path, as_json: bool, lang: Language) -> None:
    """Let a proposed ACTION happen. `paramedic status` shows what waits for you.

    \b
    Examples:
      paramedic approve ACT-0001
      paramedic approve ACT-0001 --as li.wei

    \b
    Exit codes: 0 approved, 2 there is no such action or it does not wait, 4 nobody watches.
    """
    from urllib.parse import quote

    from paramedic.console.client import Daemon

    answer = Daemon.need(data_dir).post(f"/api/actions/{quote(action, safe='')}/approve", {"by": person})
    if as_json:
        print_json(answer)
    else:
        click.echo(_DONE.in_language(lang).format(**answer))
