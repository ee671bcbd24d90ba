"""`paramedic watch`: the daemon with its view, or a view of the one that runs already."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from paramedic.cli.attach import attach
from paramedic.cli.options import data_dir_option, lang_option
from paramedic.cli.own import Options, own
from paramedic.cli.screens.live import choose
from paramedic.model.errors import NoDaemon, UsageError
from paramedic.model.text import Language

Parsed = TypeVar("Parsed")


@click.command(
    context_settings={"ignore_unknown_options": False},
    short_help="Watch the servers of this machine, or start one and own its recovery.",
)
@click.argument("engine_command", nargs=-1, type=click.UNPROCESSED)
@click.option("--target", "targets", multiple=True, metavar="URL", help="A server to watch besides those found here.")
@click.option("--name", default="", help="The name of the engine that is started.")
@click.option("--log", default="", type=click.Path(dir_okay=False), help="The log of the (one) --target.")
@click.option("--discovery/--no-discovery", default=None, help="Look for the servers of this machine.  [default: yes]")
@click.option("--practice/--no-practice", default=True, help="Where there is no server, start a practice engine.")
@click.option(
    "--for", "duration", default=None, envvar="PARAMEDIC_FOR", metavar="TIME", help="End by itself after 60s, 10m, ..."
)
@click.option("--stop-engine", is_flag=True, help="On SIGTERM, end the engines too (Ctrl-C always does).")
@click.option("--config", "config_path", type=click.Path(dir_okay=False, path_type=Path), help="Configuration file.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object an event, for machines.")
@data_dir_option
@lang_option
@click.pass_context
def command(
    ctx: click.Context,
    engine_command: tuple[str, ...],
    targets: tuple[str, ...],
    name: str,
    log: str,
    discovery: bool | None,
    practice: bool,
    duration: str | None,
    stop_engine: bool,
    config_path: Path | None,
    as_json: bool,
    data_dir: Path,
    lang: Language,
) -> int:
    """Watch the vLLM servers of this machine; or start one, and bring it back when it dies.

    Servers are found by themselves, also while they start. Where there is none, a practice engine is started.
    Servers that Paramedic did not start are only observed. Beside a running watch this attaches to it, read-only.

    \b
    Examples:
      paramedic watch
      paramedic watch -- vllm serve Qwen/Qwen3-8B --port 8000
      paramedic watch --target http://10.0.0.7:8000 --log /var/log/vllm.log
      paramedic watch --json | jq .type
    """
    from paramedic.app.config import parse_duration, parse_engine_url
    from paramedic.app.config_file import load
    from paramedic.app.folder import DataFolder

    _refuse_contradictions(engine_command, targets, name, log)
    seconds = _parsed("--for", parse_duration, duration) if duration else None
    urls = tuple(_parsed("--target", parse_engine_url, url) for url in targets)
    given = {
        "discovery": discovery,
        "data_dir": str(data_dir) if _is_given(ctx, "data_dir") else None,
        "lang": lang if _is_given(ctx, "lang") else None,
    }
    loaded = load(config_path, options=given)
    lang = loaded.config.lang or lang
    options = Options(engine_command, urls, name, log, practice, seconds, stop_engine, lang)
    folder = DataFolder(Path(loaded.config.data_dir or data_dir))
    folder.create()
    try:
        folder.hold()
    except NoDaemon as busy:
        if engine_command or targets:
            raise NoDaemon(f"{busy}; use another --data-dir, or stop that one: paramedic stop") from None
        return attach(folder, as_json=as_json, lang=lang, seconds=seconds)
    try:
        return asyncio.run(own(folder, loaded, options, choose(as_json=as_json, lang=lang)))
    finally:
        folder.let_go()


def _refuse_contradictions(engine_command: tuple[str, ...], targets: tuple[str, ...], name: str, log: str) -> None:
    """What would be passed over in silence, or only be said when the watch has begun."""
    if log and engine_command:
        raise UsageError("--log: the log of an engine that Paramedic starts is kept by Paramedic; leave it out")
    if log and not targets:
        raise UsageError("--log belongs to a --target; give that too")
    if log and len(targets) > 1:
        raise UsageError(f"--log belongs to one --target, here are {len(targets)}: write them into paramedic.yaml")
    if name and not engine_command:
        raise UsageError("--name names an engine that is started: paramedic watch --name NAME -- vllm serve MODEL")
    if engine_command and len(targets) > 1:
        raise UsageError("with a command, --target says where its engine will answer: give it once")
    if engine_command:
        _refuse_command(engine_command, targets)


def _refuse_command(command: tuple[str, ...], targets: tuple[str, ...]) -> None:
    from paramedic.app.daemon import url_of_command

    if command[0].startswith("-"):
        raise UsageError(f"{command[0]} is no command; options of watch stand before the --")
    if shutil.which(command[0]) is None and "/" not in command[0]:
        raise UsageError(f"{command[0]}: no such command in the PATH; give its path, or activate its environment first")
    if not targets:
        url_of_command(command)


def _parsed(option: str, parse: Callable[[object], Parsed], value: str) -> Parsed:
    """The value of an option. The message never repeats the value: a URL may hold a secret."""
    try:
        return parse(value)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None


def _is_given(ctx: click.Context, option: str) -> bool:
    """Whether a person or a variable said it: a default yields to the configuration."""
    source = ctx.get_parameter_source(option)
    return source not in (None, click.core.ParameterSource.DEFAULT)
