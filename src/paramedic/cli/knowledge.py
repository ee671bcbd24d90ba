"""`paramedic knowledge`: list and show the faults that are known, write new ones, lint and prove them."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from paramedic.cli.completion import known_fault
from paramedic.cli.options import json_option, lang_option, print_json
from paramedic.model.errors import InvalidFiles, Problem, UsageError
from paramedic.model.text import Language, Text

if TYPE_CHECKING:
    from paramedic.diagnosis.pattern import Catalogue
    from paramedic.knowledge.folder import Folder
    from paramedic.knowledge.proofs import Result

Function = TypeVar("Function", bound=Callable[..., Any])

_SOUND = Text("Sound: {} faults.", "没有问题：{} 个故障。")
_MISTAKES = Text("Mistakes: {}", "错误：{} 处")
_WRITTEN = Text("written:", "已创建：")
_NEXT = Text(
    "Fill in what is empty, paste a log that shows it into the proof, then run:",
    "填写空项，把能体现该故障的日志放入证明文件，然后运行：",
)
_NO_PROOF = Text("no proof", "没有证明")
_HEALTHY = Text("healthy logs", "正常日志")
_COUNT = Text("{right} of {all} proofs are right", "{all} 个证明中 {right} 个正确")


def folder_option(function: Function) -> Function:
    return click.option(
        "--folder",
        type=click.Path(file_okay=False, path_type=Path),
        help="A folder of knowledge of your own.  [default: Paramedic's own]",
    )(function)


@click.group("knowledge", short_help="The faults that are known: list, show, lint, test, new.")
def command() -> None:
    """The faults that are known: list and show them, write new ones, lint and prove them.

    A fault is one YAML file; adding one needs no Python. A folder of your own holds faults/ID.yaml,
    remedies/NAME.yaml, proofs/ID/*.log (each must show its fault first) and healthy/*.log (nothing may be
    found there). Name it under `knowledge:` in paramedic.yaml and it is used beside Paramedic's own.

    \b
    Examples:
      paramedic knowledge show oom-weights-at-load
      paramedic knowledge new fault disk-too-slow --folder my-knowledge
      paramedic knowledge lint my-knowledge
      paramedic knowledge test --folder my-knowledge
    """


@command.command("list", short_help="List every fault that can be named.")
@folder_option
@json_option
@lang_option
def list_(folder: Path | None, as_json: bool, lang: Language) -> None:
    """List every fault that can be named, by family.

    \b
    Examples:
      paramedic knowledge list
      paramedic knowledge list --json | jq -r '.faults[].id'
    """
    from paramedic.cli.screens.knowledge import list_lines

    catalogue = _catalogue(folder)
    if as_json:
        print_json({"faults": [_row(fault.id, catalogue, lang) for fault in catalogue.faults]})
    else:
        click.echo("\n".join(list_lines(catalogue, lang)))


@command.command(short_help="Show one fault: how it shows itself and what to do.")
@click.argument("fault", metavar="ID", shell_complete=known_fault)
@folder_option
@json_option
def show(fault: str, folder: Path | None, as_json: bool) -> None:
    """Show one fault in both languages: how it shows itself, what to do, where the knowledge is from.

    \b
    Examples:
      paramedic knowledge show gpu-fell-off-bus
      paramedic knowledge show kv-cache-preemption --json
    """
    from paramedic.cli.screens.knowledge import fault_document, fault_lines

    catalogue = _catalogue(folder)
    _known([fault], catalogue)
    found = catalogue.by_id[fault]
    if as_json:
        print_json(fault_document(found, catalogue))
    else:
        click.echo("\n".join(fault_lines(found, catalogue)))


@command.command(short_help="Find every mistake of every file of a folder.")
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option(
    "--healthy", multiple=True, type=click.Path(exists=True, path_type=Path), help="A log in which nothing is wrong."
)
@json_option
@lang_option
@click.pass_context
def lint(ctx: click.Context, folder: Path | None, healthy: tuple[Path, ...], as_json: bool, lang: Language) -> None:
    """Find every mistake of every file of a folder at once; without FOLDER, of Paramedic's own.

    Beside what cannot be read: no source, no proof, no Chinese, a remedy that nobody uses, a message without a
    rare word, a fault that is found in a healthy log.

    \b
    Examples:
      paramedic knowledge lint my-knowledge
      paramedic knowledge lint my-knowledge --healthy server.log

    \b
    Exit codes: 0 all is sound, 2 mistakes were found.
    """
    from paramedic.knowledge import lint as linting

    place = _folder(folder)
    problems = linting.lint(place, healthy)
    faults = len(place.fault_files())
    if as_json:
        print_json({"faults": faults, "problems": [_problem(each) for each in problems]})
    elif not problems:
        click.echo(_SOUND.in_language(lang).format(faults))
    else:
        click.echo("\n".join(str(problem) for problem in problems))
        click.echo(_MISTAKES.in_language(lang).format(len(problems)), err=True)
    if problems:
        ctx.exit(2)


@command.command(short_help="Prove faults: first in their logs, silent in healthy ones.")
@click.argument("ids", metavar="[ID]...", nargs=-1, shell_complete=known_fault)
@folder_option
@json_option
@lang_option
@click.pass_context
def test(ctx: click.Context, ids: tuple[str, ...], folder: Path | None, as_json: bool, lang: Language) -> None:
    """Prove faults: each is the first cause in its own logs, and nothing is found in the healthy ones.

    \b
    Examples:
      paramedic knowledge test --folder my-knowledge
      paramedic knowledge test disk-too-slow --folder my-knowledge

    \b
    Exit codes: 0 every proof is right, 1 one is not, 2 usage.
    """
    from paramedic.knowledge.folder import PROOFS_ELSEWHERE
    from paramedic.knowledge.proofs import all_proofs

    place = _folder(folder)
    catalogue = place.catalogue()
    _known(ids, catalogue)
    if place.is_ours and not place.proofs.is_dir():
        raise UsageError(PROOFS_ELSEWHERE)
    faults = ids or tuple(path.stem for path in place.fault_files())
    proofs = list(all_proofs(place, catalogue, faults))
    results = _run(proofs, catalogue, show_progress=not as_json)
    unproven = [fault for fault in faults if catalogue.by_id[fault].sights and not place.proofs_of(fault)]
    if as_json:
        print_json({"proofs": [_result(each) for each in results], "unproven": unproven})
    else:
        _print_results(results, unproven, faults, lang)
    if unproven or not all(result.right for result in results):
        ctx.exit(1)


@command.group(short_help="Begin a new fault.")
def new() -> None:
    """Begin a new fault: files with a sentence on every key, to fill in."""


@new.command("fault")
@click.argument("id", metavar="ID")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("knowledge"),
    show_default=True,
    help="The folder of knowledge that it belongs to.",
)
@lang_option
def new_fault(id: str, folder: Path, lang: Language) -> None:
    """Write FOLDER/faults/ID.yaml and an empty proof. Nothing that is there is overwritten.

    \b
    Example:
      paramedic knowledge new fault disk-too-slow --folder my-knowledge

    \b
    Exit codes: 0 written, 2 the id cannot be used or is taken.
    """
    from paramedic.knowledge.new_fault import write_new_fault

    for path in write_new_fault(id, _folder(folder)):
        click.echo(f"{_WRITTEN.in_language(lang)} {path}")
    click.echo(_NEXT.in_language(lang))
    click.echo(f"  paramedic knowledge lint {folder}\n  paramedic knowledge test {id} --folder {folder}")


def _folder(path: Path | None) -> "Folder":
    from paramedic.knowledge.folder import folder_of

    return folder_of(path)


def _catalogue(folder: Path | None) -> "Catalogue":
    """The faults of a folder; where none is named, those that a watch here would use."""
    from paramedic.app.knowledge import catalogue_in_use

    return _folder(folder).catalogue() if folder else catalogue_in_use()


def _known(ids: "tuple[str, ...] | list[str]", catalogue: "Catalogue") -> None:
    """Every id that is not there, at once."""
    from paramedic.knowledge.yaml_file import did_you_mean

    hints = {id: did_you_mean(id, catalogue.by_id) for id in ids if id not in catalogue.by_id}
    if hints:
        rest = "`paramedic knowledge list` names them all"
        raise UsageError("\n".join(f"there is no fault {id!r} ({hint or rest})" for id, hint in hints.items()))


def _run(proofs: "list[tuple[str, Path]]", catalogue: "Catalogue", *, show_progress: bool) -> "list[Result]":
    from paramedic.knowledge.proofs import prove, prove_healthy

    problems: list[Problem] = []
    results = []
    bar: Any = click.progressbar(proofs, file=sys.stderr, hidden=not show_progress)
    with bar:
        for fault, path in bar:
            try:
                results.append(prove(fault, path, catalogue) if fault else prove_healthy(path, catalogue))
            except InvalidFiles as error:
                problems += error.problems
    if problems:
        raise InvalidFiles(problems)
    return results


def _print_results(results: "list[Result]", unproven: list[str], faults: tuple[str, ...], lang: Language) -> None:
    width = max(map(len, faults), default=0)
    for fault in faults:
        _print_row(fault, width, [result for result in results if result.fault == fault], lang)
    if healthy := [result for result in results if not result.fault]:
        _print_row(_HEALTHY.in_language(lang), width, healthy, lang)
    right = sum(result.right for result in results)
    click.echo(_COUNT.in_language(lang).format(right=right, all=len(results)))


def _print_row(name: str, width: int, results: "list[Result]", lang: Language) -> None:
    right = sum(result.right for result in results)
    click.echo(f"{name:<{width}}  " + (f"{right}/{len(results)}" if results else _NO_PROOF.in_language(lang)))
    for result in results:
        if not result.right:
            click.echo(f"  {result.path}: {result.sentence()}")


def _row(id: str, catalogue: "Catalogue", lang: Language) -> dict[str, Any]:
    fault = catalogue.by_id[id]
    return {
        "id": id,
        "family": fault.family,
        "level": fault.level.value,
        "advice": fault.advice,
        "title": fault.title.in_language(lang),
    }


def _problem(problem: Problem) -> dict[str, Any]:
    return {"file": problem.file, "line": problem.line, "text": problem.text, "hint": problem.hint}


def _result(result: "Result") -> dict[str, Any]:
    return {
        "fault": result.fault,
        "file": str(result.path),
        "right": result.right,
        "found": [finding.cause for finding in result.found],
    }
