"""`paramedic check`: are the rules, faults and words that it would run with sound?"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from paramedic.cli.options import json_option, print_json
from paramedic.model.errors import InvalidFiles, Problem

if TYPE_CHECKING:
    from paramedic.knowledge.rulebook import UnknownName
    from paramedic.rules.rule import Rule


@click.command("check", short_help="Judge rules, faults and vocabulary: this version's, and your own.")
@click.argument("files", nargs=-1, metavar="[FILE]...", type=click.Path(path_type=Path))
@json_option
@click.pass_context
def command(ctx: click.Context, files: tuple[Path, ...], as_json: bool) -> None:
    """Judge rules, faults and vocabulary: this version's, and your own.

    Without FILE everything that came with this version is read. A FILE is a Prometheus rule file or a folder of
    them. Every mistake of every file is printed with its line; a metric name that no vocabulary knows is listed.

    \b
    Examples:
      paramedic check
      paramedic check my-rules.yml
      paramedic check rules/ --json

    \b
    Exit codes: 0 all is sound, 2 mistakes were found.
    """
    document = _check_rules(files) if files else _check_shipped()
    if as_json:
        print_json(document)
    else:
        _print(document)
    if document["problems"]:
        ctx.exit(2)


def _check_shipped() -> dict[str, Any]:
    from paramedic.knowledge.catalogue import load_catalogue
    from paramedic.knowledge.lexicon import load_vocabulary
    from paramedic.knowledge.rulebook import SHIPPED

    problems: list[Problem] = []
    counts = {"faults": 0, "remedies": 0, "vocabulary": 0}
    try:
        catalogue = load_catalogue()
        counts |= {"faults": len(catalogue.faults), "remedies": len(catalogue.remedies)}
    except InvalidFiles as error:
        problems.extend(error.problems)
    try:
        counts["vocabulary"] = len(load_vocabulary().terms)
    except InvalidFiles as error:
        problems.extend(error.problems)
    document = _check_rules((SHIPPED,))
    return document | counts | {"problems": [_problem(each) for each in problems] + document["problems"]}


def _check_rules(places: tuple[Path, ...]) -> dict[str, Any]:
    from paramedic.knowledge.lexicon import load_vocabulary
    from paramedic.knowledge.rulebook import read_rules, rule_files, unknown_names

    files = {place: rule_files(place) for place in places}
    rules, problems = read_rules([path for found in files.values() for path in found])
    problems += [
        Problem(str(place), 0, "holds no rule file", "they end in .yml or .yaml") for place in files if not files[place]
    ]
    try:
        strange = unknown_names(rules, load_vocabulary())
    except InvalidFiles:  # told where the vocabulary itself is checked
        strange = []
    return {
        "rules": [_rule(each) for each in rules],
        "unknown_names": [_unknown(each) for each in strange],
        "problems": [_problem(each) for each in InvalidFiles(problems).problems],
    }


def _rule(rule: "Rule") -> dict[str, Any]:
    return {
        "id": rule.id,
        "level": rule.level,
        "category": rule.category,
        "expression": rule.expression.text.strip(),
        "for_seconds": rule.for_s,
        "keep_firing_for_seconds": rule.keep_firing_for_s,
        "names": list(rule.expression.names),
        "file": rule.file,
        "line": rule.line,
    }


def _unknown(found: "UnknownName") -> dict[str, Any]:
    rule = found.rule
    return {"name": found.name, "rule": rule.id, "file": rule.file, "line": rule.line, "hint": found.hint}


def _problem(problem: Problem) -> dict[str, Any]:
    return {"file": problem.file, "line": problem.line, "text": problem.text, "hint": problem.hint}


def _print(document: dict[str, Any]) -> None:
    sound = [f"{len(document['rules'])} rules"]
    sound += [f"{document[key]} {word}" for key, word in _COUNTED if key in document]
    click.echo(f"Sound: {', '.join(sound)}.")
    if document["unknown_names"]:
        click.echo("Names that no vocabulary knows; they are read as they stand, and may be absent:")
    for each in document["unknown_names"]:
        hint = f" ({each['hint']})" if each["hint"] else ""
        click.echo(f"  {each['file']}:{each['line']}: {each['name']} in {each['rule']}{hint}")
    if document["problems"]:
        click.echo(f"Mistakes: {len(document['problems'])}", err=True)
    for each in document["problems"]:
        click.echo(f"  {Problem(each['file'], each['line'], each['text'], each['hint'])}", err=True)


_COUNTED = (("faults", "faults"), ("remedies", "remedies"), ("vocabulary", "names in the vocabulary"))
