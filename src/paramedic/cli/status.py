"""`paramedic status`: what is known of every server now."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from paramedic.cli.options import data_dir_option, json_option, lang_option, print_json
from paramedic.model.target import EngineState
from paramedic.model.text import Language

if TYPE_CHECKING:
    from paramedic.pipeline.board import Board, TargetRow

FINE, FOUND, COULD_NOT_TELL = 0, 1, 3

_UNSEEN = frozenset({EngineState.UNKNOWN, EngineState.OUT_OF_REACH})
_FINE_STATES = _UNSEEN | {EngineState.SERVING, EngineState.STARTING, EngineState.SLEEPING, EngineState.STOPPED}


@click.command("status", short_help="Show what is known of every server now.")
@data_dir_option
@json_option
@lang_option
def command(data_dir: Path, as_json: bool, lang: Language) -> None:
    """Show what is known of every server now: from the data folder, whether somebody watches or not.

    \b
    Examples:
      paramedic status
      paramedic status --json | jq '.alerts[].id'
      watch -n 5 paramedic status

    \b
    Exit codes: 0 nothing is wrong, 1 something fires, a server is in a bad state or a human is needed,
    3 could not tell (nobody watches, no server, or one that was not looked at yet, is out of reach or
    shows no figures).
    """
    from paramedic.app.reading import read_board

    board = read_board(data_dir, time.time_ns())
    if as_json:
        from paramedic.journal.plain import to_plain

        print_json(to_plain(board))
    else:
        _show(board, lang)
    sys.exit(exit_code(board))


def exit_code(board: "Board") -> int:
    """What is not evaluated is not fine: without a watcher, a server or a look, the answer is 3."""
    bad = any(row.state not in _FINE_STATES for row in board.targets)
    if board.alerts or board.needs_human or bad:
        return FOUND
    unseen = any(row.state in _UNSEEN or _is_blank(row) for row in board.targets)
    if board.daemon_pid is None or not board.targets or unseen:
        return COULD_NOT_TELL
    return FINE


def _is_blank(row: "TargetRow") -> bool:
    """It answers, and that is all that is known of it."""
    return row.state is EngineState.SERVING and row.figures_age is None


def _show(board: "Board", lang: Language) -> None:
    from paramedic.cli.screens import board as screen

    if not sys.stdout.isatty():
        click.echo(screen.plain(board, lang))
        return
    from rich.console import Console

    console = Console()
    console.print(screen.render(board, lang, console.width))
