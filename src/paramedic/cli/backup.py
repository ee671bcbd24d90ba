"""`paramedic backup`: save the data folder into one file, also while a watch runs."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from paramedic.cli.options import data_dir_option, json_option, lang_option, print_json
from paramedic.model.text import Language, Text

if TYPE_CHECKING:
    from paramedic.app.archive import Manifest

_SOON_S = 2.0
_MADE = Text(
    "Saved into {} ({}): the journal with {:,} events, the last one of {}.",
    "已备份到 {}（{}）：事件记录 {:,} 条，最后一条 {}。",
)
_SAMPLES = Text("Days of samples in it: {}.", "含监控数据：{} 天。")
_NO_SAMPLES = Text("Without samples: add --with-samples.", "不含监控数据：需要时加 --with-samples。")
_SECRETS = Text(
    "Engines whose start is in it, keys included: {}. Guard the file as you guard those; it is readable by you alone.",
    "含引擎启动方式（包括密钥）：{} 个。请像保管密钥一样保管此文件；目前仅您本人可读。",
)
_NO_SECRETS = Text(
    "Without how engines are started, since that holds keys: add --with-secrets.",
    "不含引擎的启动方式，因为其中有密钥：需要时加 --with-secrets。",
)


@click.command("backup", short_help="Save the data folder into one file, also while a watch runs.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--with-samples", is_flag=True, help="The metrics of the last days too: up to gigabytes.")
@click.option("--with-secrets", is_flag=True, help="How engines are started too: arguments and environment, so keys.")
@data_dir_option
@json_option
@lang_option
def command(file: Path, with_samples: bool, with_secrets: bool, data_dir: Path, as_json: bool, lang: Language) -> None:
    """Save the data folder into one tar.gz FILE, readable by you alone; also while a watch runs.

    The journal is in it: incidents, alerts, actions, who approved what. Logs of engines are not.

    \b
    Examples:
      paramedic backup paramedic-$(date +%F).tar.gz
      paramedic backup /mnt/backup/before-upgrade.tar.gz --with-samples --with-secrets

    \b
    Exit codes: 0 saved, 2 the file exists or cannot be written, 3 nothing was ever watched here, or it is damaged.
    """
    from paramedic.app.backup import make_backup
    from paramedic.app.folder import DataFolder

    with progress_bar(file.name) as progress:
        made = make_backup(
            DataFolder(data_dir),
            file,
            time.time_ns(),
            with_samples=with_samples,
            with_secrets=with_secrets,
            progress=progress,
        )
    if as_json:
        print_json(facts(made) | {"file": str(file.absolute()), "bytes": file.stat().st_size})
    else:
        _say(made, file, lang)


def facts(manifest: "Manifest") -> dict[str, object]:
    """A backup for machines."""
    return {
        "paramedic": manifest.paramedic,
        "made_at": manifest.made_at,
        "entries": manifest.entries,
        "last_entry_at": manifest.last_entry_at,
        "sample_days": manifest.sample_days,
        "secrets": manifest.secrets,
        "engines": manifest.engines,
    }


def _say(made: "Manifest", file: Path, lang: Language) -> None:
    from paramedic.cli.screens import figures

    size = figures.size(file.stat().st_size)
    last = figures.day_and_time(made.last_entry_at) if made.entries else figures.ABSENT
    click.echo(_MADE.in_language(lang).format(file, size, made.entries, last))
    samples = _SAMPLES if made.sample_days else _NO_SAMPLES
    click.echo(samples.in_language(lang).format(made.sample_days))
    click.echo((_SECRETS if made.secrets else _NO_SECRETS).in_language(lang).format(made.engines))


@contextmanager
def progress_bar(name: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on the terminal for what takes longer than two seconds; none in a pipe."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import Progress

    begin = time.monotonic()
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(name, total=None, visible=False)
        yield lambda done, total: bar.update(
            task, completed=done, total=total, visible=time.monotonic() - begin > _SOON_S
        )
