"""Options that several commands share, and how a command answers."""

import json
import locale
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from paramedic.model.errors import UsageError
from paramedic.model.text import Language

Function = TypeVar("Function", bound=Callable[..., Any])


def data_dir_option(function: Function) -> Function:
    return click.option(
        "--data-dir",
        type=click.Path(file_okay=False, path_type=Path),
        envvar="PARAMEDIC_DATA",
        default=default_data_dir,
        help="Where Paramedic keeps what it knows.  [default: ~/.local/share/paramedic, for root /var/lib/paramedic]",
    )(function)


def json_option(function: Function) -> Function:
    return click.option("--json", "as_json", is_flag=True, help="One JSON document for machines.")(function)


def lang_option(function: Function) -> Function:
    return click.option(
        "--lang", type=click.Choice(["en", "zh"]), default=language_of_locale, help="Language.  [default: the locale's]"
    )(function)


def seconds_of(option: str, text: str) -> float:
    """The seconds of `90`, `30s`, `2h`. Raises UsageError that names the option."""
    from paramedic.app.config import parse_duration

    try:
        return parse_duration(float(text) if text.replace(".", "", 1).isdigit() else text)
    except ValueError as error:
        raise UsageError(f"{option} {error}") from error


def default_data_dir() -> Path:
    """The data folder where no option and no variable names one: the configuration's, else the user's own."""
    from paramedic.app.config_file import data_dir_of_file  # reads YAML: only the commands that need it pay

    return data_dir_of_file() or user_data_dir()


def user_data_dir() -> Path:
    """The data folder where nothing names one."""
    if os.geteuid() == 0:
        return Path("/var/lib/paramedic")
    return Path.home() / ".local" / "share" / "paramedic"


def language_of_locale() -> Language:
    """Chinese where the locale says so, else English."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return "zh" if value.lower().startswith("zh") else "en"
    return "zh" if (locale.getlocale()[0] or "").lower().startswith(("zh", "chinese")) else "en"


def print_json(document: object) -> None:
    """One JSON document on standard output."""
    click.echo(json.dumps(document, ensure_ascii=False, indent=2))
