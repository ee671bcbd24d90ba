"""`paramedic restore`: put a backup into the place of the data folder."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from paramedic.cli.options import data_dir_option, json_option, lang_option, print_json
from paramedic.model.text import Language, Text

if TYPE_CHECKING:
    from paramedic.app.restore import Restored

_DONE = Text(
    "Restored into {}: the journal with {:,} events, as Paramedic {} saved it at {}.",
    "已恢复到 {}：事件记录 {:,} 条，由 Paramedic {} 于 {} 备份。",
)
_KEPT = Text("What was there before is kept in {}.", "原有内容保存在 {}。")
_NO_SECRETS = Text(
    "How engines are started was not saved: start them anew with `paramedic watch -- COMMAND`.",
    "备份中没有引擎的启动方式：请用 `paramedic watch -- 命令` 重新启动。",
)


@click.command("restore", short_help="Put a backup into the place of the data folder.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Also where the folder is not empty: it is set aside, not deleted.")
@data_dir_option
@json_option
@lang_option
def command(file: Path, force: bool, data_dir: Path, as_json: bool, lang: Language) -> None:
    """Put the backup FILE into the place of the data folder. The whole file is checked before anything is changed.

    \b
    Examples:
      paramedic restore paramedic-2026-11-24.tar.gz
      paramedic restore before-upgrade.tar.gz --force
      paramedic restore of-another-machine.tar.gz --data-dir /tmp/look && paramedic incidents --data-dir /tmp/look

    \b
    Exit codes: 0 restored, 2 no whole backup, or the folder is not empty, 4 the folder is in use.
    """
    from paramedic.app.folder import DataFolder
    from paramedic.app.restore import restore

    done = restore(file, DataFolder(data_dir), time.time_ns(), force=force)
    if as_json:
        from paramedic.cli.backup import facts

        kept = str(done.aside) if done.aside else None
        print_json(facts(done.manifest) | {"data_dir": str(data_dir.absolute()), "kept": kept})
    else:
        _say(done, data_dir, lang)


def _say(done: "Restored", data_dir: Path, lang: Language) -> None:
    from paramedic.cli.screens import figures

    made = done.manifest
    when = figures.day_and_time(made.made_at)
    click.echo(_DONE.in_language(lang).format(data_dir, made.entries, made.paramedic, when))
    if done.aside:
        click.echo(_KEPT.in_language(lang).format(done.aside))
    if not made.secrets:
        click.echo(_NO_SECRETS.in_language(lang))
