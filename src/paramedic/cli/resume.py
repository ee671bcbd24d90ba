"""`paramedic resume`: give a held server back into Paramedic's hands."""

from pathlib import Path

import click

from paramedic.cli.completion import watched_server
from paramedic.cli.options import data_dir_option, json_option, lang_option, print_json
from paramedic.cli.person import person_option
from paramedic.model.text import Language, Text

_DONE = Text("{target} is in Paramedic's hands again.", "{target} 已交还 Paramedic。")


@click.command("resume", short_help="Give a held server back into Paramedic's hands.")
@click.argument("target", shell_complete=watched_server)
@click.option("--reason", default="", help="Why; it is kept in the journal.")
@person_option
@data_dir_option
@json_option
@lang_option
def command(target: str, reason: str, person: str, data_dir: Path, as_json: bool, lang: Language) -> None:
    """End a hold, whoever began it: TARGET is the server's name, or how it begins.

    What is wrong with the server then is acted on at once, within the guards.

    \b
    Examples:
      paramedic resume qwen3-8b

    \b
    Exit codes: 0 resumed, 2 there is no such server or nobody holds it, 4 nobody watches.
    """
    from urllib.parse import quote

    from paramedic.console.client import Daemon

    body: dict[str, object] = {"by": person, "reason": reason}
    answer = Daemon.need(data_dir).post(f"/api/targets/{quote(target, safe='')}/resume", body)
    if as_json:
        print_json(answer)
    else:
        click.echo(_DONE.in_language(lang).format(**answer))
