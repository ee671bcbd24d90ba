"""`paramedic config`: show or check the configuration."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from paramedic.cli.options import json_option, language_of_locale, print_json, user_data_dir
from paramedic.model.errors import InvalidFiles

if TYPE_CHECKING:
    from paramedic.app.config_file import Loaded


@click.group("config", short_help="Show or check the configuration.")
def command() -> None:
    """Show or check the configuration.

    It is looked for at --config, $PARAMEDIC_CONFIG, ./paramedic.yaml, ~/.config/paramedic/paramedic.yaml and
    /etc/paramedic/paramedic.yaml; none is needed.

    \b
    Examples:
      paramedic config show
      paramedic config check paramedic.yaml
    """


@command.command()
@click.option("--config", "path", type=click.Path(path_type=Path), help="The file to read.  [default: looked for]")
@json_option
def show(path: Path | None, as_json: bool) -> None:
    """Print every value and where it came from. Secrets are never shown.

    \b
    Examples:
      paramedic config show
      paramedic config show --json | jq -r '.values.interval.origin'

    \b
    Exit codes: 0 shown, 2 there are mistakes in the file.
    """
    from paramedic.app.config_file import load

    loaded = load(path)
    rows = _rows(loaded)
    if as_json:
        values = {key: {"value": value, "origin": loaded.origins[key]} for key, value, _ in rows}
        print_json({"path": str(loaded.path) if loaded.path else None, "values": values})
        return
    width = max(len(key) for key, _, _ in rows)
    shown = max(len(text) for _, _, text in rows)
    click.echo(f"# {loaded.path or 'no paramedic.yaml: every value is a default'}")
    for key, _, text in rows:
        click.echo(f"{key:<{width}}  {text:<{shown}}  {loaded.origins[key]}")


@command.command()
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
@json_option
def check(path: Path, as_json: bool) -> None:
    """Judge a FILE: every mistake at once, with its line.

    \b
    Examples:
      paramedic config check paramedic.yaml

    \b
    Exit codes: 0 it is in order, 2 there are mistakes.
    """
    from paramedic.app.config_file import load

    try:
        load(path)
    except InvalidFiles as error:
        if not as_json:
            raise
        print_json({"ok": False, "problems": [_problem(problem) for problem in error.problems]})
        click.get_current_context().exit(error.exit_code)
    if as_json:
        print_json({"ok": True, "problems": []})
    else:
        click.echo(f"{path}: in order")


def _problem(problem: Any) -> dict[str, Any]:
    return {"file": problem.file, "line": problem.line, "text": problem.text, "hint": problem.hint}


def _rows(loaded: "Loaded") -> list[tuple[str, Any, str]]:
    """(dotted key, plain value, how it is written) of every value."""
    from paramedic.app.config_file import shown_values

    where_unset = {"data_dir": lambda: str(user_data_dir()), "lang": language_of_locale}
    rows = []
    for key, configured in shown_values(loaded.config):
        value = where_unset[key]() if configured is None and key in where_unset else configured
        rows.append((key, value, _written(value)))
    return rows


def _written(value: object) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return str(value).lower()
        case float():
            return f"{value:g}"
        case []:
            return "[]"
    return str(value)
