"""`paramedic restart`: restart a server that Paramedic started, and see it serve again."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from paramedic.cli.completion import watched_server
from paramedic.cli.options import data_dir_option, json_option, lang_option, print_json
from paramedic.cli.person import person_option
from paramedic.model.errors import CouldNotTell, UsageError
from paramedic.model.text import Language, Text

if TYPE_CHECKING:
    from paramedic.console.client import Daemon

FAILED, INTERRUPTED = 1, 130
_CODES = {"done": 0, "unknown": 3}

_SURE = Text("Restart {name} ({state}{running})?", "重启 {name}（{state}{running}）？")
_RUNNING = Text("; {n:.0f} requests run and would be lost", "；正在处理的 {n:.0f} 个请求会丢失")
_REQUESTED = Text("{action}: {target} is restarted.", "{action}：正在重启 {target}。")
_GOES_ON = Text("The restart goes on: paramedic explain {action}", "重启继续进行：paramedic explain {action}")


@click.command("restart", short_help="Restart a server that Paramedic started, and see it serve again.")
@click.argument("target", shell_complete=watched_server)
@click.option("--reason", default="", help="Why; it is kept in the journal.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask; needed where there is no terminal to ask on.")
@click.option("--wait/--no-wait", default=True, help="Wait until it serves or has failed.  [default: wait]")
@person_option
@data_dir_option
@json_option
@lang_option
def command(
    target: str, reason: str, yes: bool, wait: bool, person: str, data_dir: Path, as_json: bool, lang: Language
) -> int:
    """Restart a server: end its whole process group, wait until port and GPU memory are free, start it as it was
    first started, and ask it for a token. TARGET is its name, or how it begins.

    Only servers that Paramedic started; not while somebody holds it or another action is under way on it. Mode and
    budget bind Paramedic, not people: this restart is always allowed, and costs Paramedic none of its own.

    \b
    Examples:
      paramedic restart qwen3-8b --reason "new weights"
      paramedic restart qwen3-8b --yes --json

    \b
    Exit codes: 0 it serves again, or with --no-wait: it was begun, 1 the restart failed, 2 it cannot be restarted
    like this, 3 how it ended could not be seen, 4 nobody watches.
    """
    from urllib.parse import quote

    from paramedic.console.client import Daemon

    daemon = Daemon.need(data_dir)
    board = daemon.get("/api/board")
    if not yes:
        _ask(target, board["targets"], lang)
    path = f"/api/targets/{quote(target, safe='')}/restart"
    answer = daemon.post(path, {"by": person, "reason": reason})
    if not wait:
        print_json(answer) if as_json else click.echo(_REQUESTED.in_language(lang).format(**answer))
        return 0
    end = _follow(daemon, answer, board["last_seq"], None if as_json else lang)
    if as_json:
        print_json(answer | end)
    return _CODES.get(end["status"], FAILED)


def _ask(word: str, rows: list[dict[str, Any]], lang: Language) -> None:
    """Ask the person; not about a server that the daemon refuses to restart anyhow."""
    from paramedic.cli.screens.words import STATES
    from paramedic.model.target import EngineState
    from paramedic.recovery.by_hand import full_name

    name = full_name(word, [row["name"] for row in rows])
    row = next(row for row in rows if row["name"] == name)
    if not row["started_by_us"] or row["hold"]:
        return
    if not sys.stdin.isatty():
        raise UsageError(f"{name} is not restarted without a yes, and there is no terminal to ask on: say --yes")
    running = _RUNNING.in_language(lang).format(n=row["running"]) if row["running"] else ""
    state = STATES[EngineState(row["state"])][0].in_language(lang)
    click.confirm(_SURE.in_language(lang).format(name=name, state=state, running=running), abort=True, err=True)


def _follow(daemon: "Daemon", answer: dict[str, Any], after: int, lang: Language | None) -> dict[str, Any]:
    """Until the action has ended; each step is a line for people (`lang` None: for machines only the end)."""
    action = answer["action"]
    began = 0
    try:
        for fields in _of_action(daemon.stream(after), action, answer["target"]):
            if lang is not None:
                _show(fields, lang)
            began = began or fields["at"]
            if fields["type"] in ("ActionFinished", "ActionRejected") and fields["action"] == action:
                status = fields.get("outcome", "rejected")
                detail = fields.get("detail") or fields.get("reason")
                return {"status": status, "detail": detail, "seconds": round((fields["at"] - began) / 1e9, 3)}
    except KeyboardInterrupt:
        click.echo("\n" + _GOES_ON.in_language(lang or "en").format(action=action), err=True)
        sys.exit(INTERRUPTED)
    raise CouldNotTell(f"the daemon has gone before {action} was over: see `paramedic explain {action}`")


def _of_action(events: Iterable[dict[str, Any]], action: str, target: str) -> Iterable[dict[str, Any]]:
    """What happens to this server from the request on."""
    requested = False
    for fields in events:
        requested = requested or fields.get("action") == action
        if requested and (fields.get("action") == action or fields.get("target") == target):
            yield fields


def _show(fields: dict[str, Any], lang: Language) -> None:
    from paramedic.cli.screens.events import line
    from paramedic.journal.codec import from_document

    if text := line(from_document(fields), lang):
        click.echo(text)
