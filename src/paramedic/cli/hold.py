"""`paramedic hold`: keep Paramedic's hands off a server."""

from pathlib import Path
from typing import Any

import click

from paramedic.cli.completion import watched_server
from paramedic.cli.options import data_dir_option, json_option, lang_option, print_json, seconds_of
from paramedic.cli.person import person_option
from paramedic.model.text import Language, Text

_HELD = Text(
    "{target} is held by {by}: Paramedic watches, and does nothing to it", "{target} 已由 {by} 接管：只看护，不动它"
)
_FOREVER = Text("until `paramedic resume {target}`.", "直到 `paramedic resume {target}`。")
_UNTIL = Text("until {until}, or `paramedic resume {target}`.", "至 {until}，或 `paramedic resume {target}`。")
_UNDER_WAY = Text(
    "{action} is under way and will be finished: a server is not left halfway.",
    "{action} 已经开始，会做完：不会让服务停在半路。",
)


@click.command("hold", short_help="Keep Paramedic's hands off a server; it is watched on.")
@click.argument("target", shell_complete=watched_server)
@click.option("--for", "duration", metavar="DURATION", help="It ends by itself after so long: 30m, 2h.")
@click.option("--reason", default="", help="Why; it is shown to everybody and kept in the journal.")
@person_option
@data_dir_option
@json_option
@lang_option
def command(
    target: str, duration: str | None, reason: str, person: str, data_dir: Path, as_json: bool, lang: Language
) -> None:
    """Keep Paramedic's hands off a server: TARGET is its name, or how it begins.

    It is watched, judged, diagnosed and told of as before, and asked for a token where that is in doubt. It is not
    restarted, by nobody: what is proposed or waits stays so until `paramedic resume`. A hold outlives a restart of
    Paramedic and of the server. An action that has begun is finished.

    \b
    Examples:
      paramedic hold qwen3-8b --for 2h --reason "profiling"
      paramedic hold qwen3-8b@127.0.0.1:8000

    \b
    Exit codes: 0 held, 2 there is no such server, or another person holds it, 4 nobody watches.
    """
    from urllib.parse import quote

    from paramedic.console.client import Daemon

    seconds = None if duration is None else seconds_of("--for", duration)
    body: dict[str, object] = {"by": person, "reason": reason, "seconds": seconds}
    answer = Daemon.need(data_dir).post(f"/api/targets/{quote(target, safe='')}/hold", body)
    if as_json:
        print_json(answer)
    else:
        click.echo(_said(answer, lang))


def _said(answer: dict[str, Any], lang: Language) -> str:
    from paramedic.cli.screens.figures import day_and_time

    until = day_and_time(answer["until"]) if answer["until"] else ""
    ending = (_UNTIL if until else _FOREVER).in_language(lang).format(until=until, target=answer["target"])
    head = _HELD.in_language(lang).format(**answer) + ("，" if lang == "zh" else ", ") + ending
    return "\n".join([head, *(_UNDER_WAY.in_language(lang).format(action=one) for one in answer["under_way"])])
