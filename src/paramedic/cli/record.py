"""`paramedic record`: one file with everything that a diagnosis needs of a server, to keep or to send."""

import asyncio
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from paramedic.cli.completion import watched_server
from paramedic.cli.options import data_dir_option, json_option, lang_option, print_json, seconds_of
from paramedic.model.errors import UsageError
from paramedic.model.text import Language, Text

if TYPE_CHECKING:
    from paramedic.app.bundle import Manifest
    from paramedic.app.config import Config
    from paramedic.app.recorder_target import Subject

LONGEST = 24 * 3600.0
_RECORDING = Text("recording {}", "正在录制 {}")
_SAVED = Text("Saved into {} ({}): {}, {}.", "已保存到 {}（{}）：{}，时长 {}。")
_NOT_IN_IT = Text("Not in it: {}", "未包含：{}")
_CLEAN = Text(
    "Keys, passwords, prompts and answers are masked; model paths, addresses and process names are not.",
    "密钥、口令、提示词和回答已打码；模型路径、地址和进程名未打码。",
)
_NEXT = Text("Diagnose it, here or elsewhere: paramedic diagnose {}", "诊断（本机或其他机器）：paramedic diagnose {}")


@click.command("record", short_help="Record a server into one file: logs, metrics, GPU, host; without secrets.")
@click.argument("target", default="", metavar="[TARGET]", shell_complete=watched_server)
@click.option("--for", "duration", default="60s", show_default=True, metavar="TIME", help="How long: 30s, 10m, 2h.")
@click.option("--interval", default="1s", show_default=True, metavar="TIME", help="Between two looks; 0.2s to 60s.")
@click.option("-o", "--output", "file", required=True, type=click.Path(path_type=Path), help="The .tar.gz to write.")
@click.option("--log", default="", type=click.Path(dir_okay=False), help="The server's log, where it is not found.")
@click.option("--force", is_flag=True, help="Replace the file where it exists.")
@data_dir_option
@json_option
@lang_option
def command(
    target: str,
    duration: str,
    interval: str,
    file: Path,
    log: str,
    force: bool,
    data_dir: Path,
    as_json: bool,
    lang: Language,
) -> None:
    """Record a server into one file: its log, a scrape of its metrics every second, health, GPU, host, processes,
    effective arguments and environment, and the kernel's log since it started. Ctrl-C ends it and saves what there is.

    TARGET is an address, or the name of a watched server; without it, the only server of this machine. Nothing of the
    server is changed. Keys, passwords, prompts and answers are masked; the file is readable by you alone.

    \b
    Examples:
      paramedic record -o slow.tar.gz --for 10m
      paramedic record http://127.0.0.1:8000 --log /var/log/vllm.log -o slow.tar.gz
      paramedic record qwen3-8b -o slow.tar.gz && paramedic diagnose slow.tar.gz

    \b
    Exit codes: 0 saved, 2 usage, or the file exists, 3 there is no server to record.
    """
    from paramedic.app.bundle import pack
    from paramedic.app.config_file import load
    from paramedic.app.recorder_run import find, staging

    seconds, pause = seconds_of("--for", duration), seconds_of("--interval", interval)
    _refuse_nonsense(seconds, pause)
    config = load().config
    with staging(file, force=force) as stage:
        subject = find(target, data_dir, log)
        words = _RECORDING.in_language(lang).format(subject.target.name)
        with bar(words, seconds) as told:
            manifest = asyncio.run(_record(subject, stage, data_dir, config, seconds, pause, told))
        made = pack(stage, file, manifest, force=force)
    if as_json:
        print_json(facts(made) | {"file": str(file.absolute()), "bytes": file.stat().st_size})
    else:
        _say(made, file, lang)


def _refuse_nonsense(seconds: float, pause: float) -> None:
    if not 0 < seconds <= LONGEST:
        raise UsageError("--for must be more than 0 s and at most 24h: the file has to be carried")
    if not 0.2 <= pause <= 60.0:
        raise UsageError("--interval must be from 0.2s to 60s")


async def _record(
    subject: "Subject",
    stage: Path,
    data_dir: Path,
    config: "Config",
    seconds: float,
    pause: float,
    told: Callable[[float], None],
) -> "Manifest":
    """Ctrl-C and SIGTERM end it early; what was seen until then is kept."""
    from paramedic.app.recorder_run import record

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return await record(subject, stage, data_dir, config, seconds=seconds, interval=pause, stop=stop, told=told)


def facts(manifest: "Manifest") -> dict[str, object]:
    """A recording for machines."""
    return {
        "target": manifest.target,
        "paramedic": manifest.paramedic,
        "engine": manifest.facts.get("engine"),
        "from": manifest.since,
        "to": manifest.until,
        "could_not": [{"what": what, "why": why.en} for what, why in manifest.could_not],
        "parts": [{"name": part.name, "bytes": part.bytes} for part in manifest.parts],
    }


def _say(made: "Manifest", file: Path, lang: Language) -> None:
    from paramedic.app.bundle import not_seen
    from paramedic.cli.screens import figures

    size = figures.size(file.stat().st_size)
    length = figures.duration(made.until - made.since)
    click.echo(_SAVED.in_language(lang).format(file, size, made.target, length))
    for text in not_seen(made.could_not):
        click.echo(_NOT_IN_IT.in_language(lang).format(text.in_language(lang)))
    click.echo(_CLEAN.in_language(lang))
    click.echo(_NEXT.in_language(lang).format(file))


@contextmanager
def bar(words: str, seconds: float) -> Iterator[Callable[[float], None]]:
    """How long it still takes, on a terminal; none in a pipe."""
    if not sys.stderr.isatty():
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(), TextColumn("(Ctrl-C: enough)"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(words, total=seconds)
        yield lambda done: bar.update(task, completed=done)
