"""`paramedic reject`: refuse a proposed action."""

from pathlib import Path

import click

from paramedic.cli.completion import waiting_action
from paramedic.cli.options import data_dir_option, json_option, lang_option, print_json
from paramedic.cli.person import person_option
from paramedic.model.text import Language, Text

_DONE = Text("{action} is rejected by {by}.", "{by} 已拒绝 {action}。")


@click.command("reject", short_help="Refuse a proposed action.")
@click.argument("action", shell_complete=waiting_action)
@click.option("--reason", default="", help="Why; it is kept in the journal.")
@person_option
@data_dir_option
@json_option
@lang_option
def command(action: str, reason: str, person: str, data_dir: Path, as_json: bool, lang: Language) -> None:
    """Refuse a proposed ACTION. `paramedic status` shows what waits for you.

    \b
    Examples:
      paramedic reject ACT-0001 --reason "we are profiling it"

    \b
    Exit codes: 0 rejected, 2 there is no such action or it does not wait, 4 nobody watches.
    """
    from urllib.parse import quote

    from paramedic.console.client import Daemon

    body: dict[str, object] = {"by": person, "reason": reason}
    answer = Daemon.need(data_dir).post(f"/api/actions/{quote(action, safe='')}/reject", body)
    if as_json:
        print_json(answer)
    else:
        click.echo(_DONE.in_language(lang).format(**answer))
