"""`paramedic stop`: end the running watch and the engines that it started."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from paramedic.cli.options import data_dir_option, json_option, lang_option, print_json, seconds_of
from paramedic.cli.person import person_option
from paramedic.model.errors import CouldNotTell
from paramedic.model.text import Language, Text

if TYPE_CHECKING:
    from paramedic.console.client import Daemon

_LOOK_EVERY_S = 0.1
_SAY_AFTER_S = 2.0
_WAITING = Text("waiting until it has gone (pid {}) ...", "等待它退出（pid {}）……")
_GONE = Text("Paramedic (pid {}) has stopped.", "Paramedic（pid {}）已停止。")


@click.command("stop", short_help="Stop the running watch and the engines that it started.")
@click.option("--timeout", default="60s", show_default=True, metavar="DURATION", help="How long to wait for its end.")
@person_option
@data_dir_option
@json_option
@lang_option
def command(timeout: str, person: str, data_dir: Path, as_json: bool, lang: Language) -> None:
    """Stop the running watch and the engines that it started, and wait until it has gone.

    Engines that it only found run on.

    \b
    Examples:
      paramedic stop
      paramedic stop --timeout 5m

    \b
    Exit codes: 0 it has gone, 3 it has not gone in time (it is still stopping), 4 nobody watches.
    """
    from paramedic.console.client import Daemon

    seconds = seconds_of("--timeout", timeout)
    daemon = Daemon.need(data_dir)
    daemon.post("/api/stop", {"by": person})
    if not _has_gone(daemon, seconds, lang):
        raise CouldNotTell(f"Paramedic (pid {daemon.pid}) was asked to stop, but is still there after {timeout}")
    if as_json:
        print_json({"status": "stopped", "pid": daemon.pid, "by": person})
    else:
        click.echo(_GONE.in_language(lang).format(daemon.pid))


def _has_gone(daemon: "Daemon", seconds: float, lang: Language) -> bool:
    begin = time.monotonic()
    said = False
    while daemon.alive():
        waited = time.monotonic() - begin
        if waited > seconds:
            return False
        if waited > _SAY_AFTER_S and not said:
            click.echo(_WAITING.in_language(lang).format(daemon.pid), err=True)
            said = True
        time.sleep(_LOOK_EVERY_S)
    return True
