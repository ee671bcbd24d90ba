"""`paramedic memory`: where the memory of a server's device goes, and which flag moves what."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from paramedic.app.log_files import read_logs
from paramedic.cli.completion import watched_server
from paramedic.cli.options import data_dir_option, json_option, lang_option, print_json
from paramedic.model.errors import CouldNotTell, InvalidFiles, Problem, UsageError
from paramedic.model.text import Language

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from paramedic.app.log_source import HeldMemory
    from paramedic.capacity.account import Account
    from paramedic.capacity.kv_cache import Shape
    from paramedic.capacity.levers import Lever

FINE, FOUND = 0, 1
UNWRAPPED = 100_000  # cells: in a pipe a line stays a line, so that grep finds it whole


def _log_or_server(ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    from click.shell_completion import CompletionItem

    return [*watched_server(ctx, param, incomplete), CompletionItem(incomplete, type="file")]


@click.command("memory", short_help="Show where a server's GPU memory goes, and which flag moves what.")
@click.argument("source", default="", metavar="[SERVER.LOG|FOLDER|TARGET]", shell_complete=_log_or_server)
@click.option("--gpu-memory", type=float, metavar="GIB", help="The size of one GPU, where the log does not say it.")
@click.option(
    "--model-config",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The model's config.json: the KV cache's bytes a token are then computed from its layers and heads.",
)
@data_dir_option
@json_option
@lang_option
@click.pass_context
def command(
    ctx: click.Context,
    source: str,
    gpu_memory: float | None,
    model_config: Path | None,
    data_dir: Path,
    as_json: bool,
    lang: Language,
) -> None:
    """Show where a server's GPU memory goes, and which flag moves what.

    Total = weights + KV cache + activations + CUDA graphs + the rest, in GiB, from what the server itself wrote as it
    started; of several workers the one with the smallest KV cache. What a log does not say is "not known", never zero.
    SERVER.LOG may be packed (.gz), `-` is standard input; FOLDER or a file of `paramedic record` holds one; TARGET is a
    watched server's name or an address of this machine, without it the only server here. Of several starts in one log
    the last one counts. Flags marked with * help with what went wrong. vLLM from 0.4, SGLang, vLLM on the CPU.

    \b
    Examples:
      paramedic memory
      paramedic memory server.log
      kubectl logs vllm-0 | paramedic memory - --gpu-memory 79.18
      paramedic memory server.log --model-config /models/qwen3-8b/config.json
      paramedic memory qwen3-8b@127.0.0.1:8000 --json | jq '.parts[] | {id, gib}'

    \b
    Exit codes: 0 told, 1 told, and memory or the KV cache did not suffice, 2 usage, 3 the log says nothing of memory.
    """
    from paramedic.app.log_source import server_log
    from paramedic.capacity.levers import levers
    from paramedic.capacity.memory import add_up
    from paramedic.cli.startup_log import settings_of, starts_of
    from paramedic.diagnosis.arguments import command_arguments

    if gpu_memory is not None and gpu_memory <= 0:
        raise UsageError("--gpu-memory is a size in GiB above zero, such as 79.18")
    with server_log(source, data_dir) as log:
        starts = starts_of(read_logs([log.path]))
    if not starts:
        raise CouldNotTell(
            f"{source or log.path} says nothing of a server's memory: give the log from the server's start on "
            "(the lines with `GiB` and `KV cache`)"
        )
    shape = _shape(model_config)
    settings = command_arguments(log.arguments) | settings_of(starts[-1])  # `3G` is a number in its log
    account = add_up(starts[-1], settings, gpu_memory, shape)
    turned = levers(account, settings, shape)
    if as_json:
        print_json(_document(account, turned, len(starts), log.held, lang))
    else:
        _show(account, turned, log.held, lang)
    ctx.exit(FOUND if account.lacks_kv or account.out_of_memory else FINE)


def _shape(path: Path | None) -> "Shape | None":
    from paramedic.capacity.kv_cache import read_shape

    if path is None:
        return None
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidFiles([Problem(str(path), 0, f"cannot be read: {error.strerror}")]) from error
    except ValueError as error:
        raise InvalidFiles([Problem(str(path), 0, "is not JSON", "give the model's config.json")]) from error
    shape = read_shape(config) if isinstance(config, dict) else None
    if shape is None:
        text = "does not tell the KV cache's bytes a token: its layers are unknown or differ in kind"
        raise InvalidFiles([Problem(str(path), 0, text, "leave --model-config out: the log's own figures are used")])
    return shape


def _document(
    account: "Account", turned: "tuple[Lever, ...]", starts: int, held: "HeldMemory | None", lang: Language
) -> dict[str, Any]:
    """The account for machines; sizes in GiB, null where not known."""
    plain = asdict(account)
    plain["starts"] = starts
    plain["held"] = asdict(held) if held else None
    plain["agrees"] = account.agrees
    plain["lacks_kv"] = account.lacks_kv
    for part, words in zip(plain["parts"], account.parts, strict=True):
        part["note"] = words.note.in_language(lang)
    plain["levers"] = [asdict(lever) | {"effect": lever.effect.in_language(lang)} for lever in turned]
    return plain


def _show(account: "Account", turned: "tuple[Lever, ...]", held: "HeldMemory | None", lang: Language) -> None:
    from paramedic.cli.screens.memory import memory_lines

    if not sys.stdout.isatty():
        for line in memory_lines(account, turned, held, lang, UNWRAPPED, plain=True):
            click.echo(line.plain.rstrip())
        return
    from rich.console import Console

    console = Console(highlight=False)
    for line in memory_lines(account, turned, held, lang, console.width):
        console.print(line, no_wrap=True, overflow="ellipsis")
