"""`paramedic latency`: where the time of a request goes, and the guide's checkpoints with their numbers."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from paramedic.cli.completion import watched_server
from paramedic.cli.options import data_dir_option, json_option, lang_option, print_json, seconds_of
from paramedic.model.errors import CouldNotTell, ParamedicError, UsageError
from paramedic.model.text import Language, Text

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from paramedic.app.latency_source import Source
    from paramedic.diagnosis.checkpoint import Checkpoint, Evidence
    from paramedic.diagnosis.latency import Latency

FINE, FOUND = 0, 1
UNWRAPPED = 100_000  # cells: in a pipe a line stays a line, so that grep finds it whole
CLOSE = 60.0  # seconds after the last scrape that --until may name: nobody knows it to the second
LONGEST = 15 * 24 * 3600.0  # seconds: no samples are older
_SWITCHES: dict[str, float | str | bool] = {"enforce_eager": False}  # what is off where nobody turned it on
_LOOKING = Text("looking at {}", "正在查看 {}")


def _source_or_server(ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    from click.shell_completion import CompletionItem

    return [*watched_server(ctx, param, incomplete), CompletionItem(incomplete, type="file")]


@click.command("latency", short_help="Take a server's latency apart: queue, prefill, decode, the rest, and why.")
@click.argument("source", default="", metavar="[TARGET|FOLDER|FILE]", shell_complete=_source_or_server)
@click.option("--window", metavar="TIME", help="How long a time is looked at.  [default: 5m; 30s for a live look]")
@click.option("--until", metavar="TIME", help="When the window ends: 2026-11-24T03:12, or epoch seconds.")
@click.option("--log", type=click.Path(dir_okay=False, path_type=Path), help="The server's log, where it is not found.")
@data_dir_option
@json_option
@lang_option
@click.pass_context
def command(
    ctx: click.Context,
    source: str,
    window: str | None,
    until: str | None,
    log: Path | None,
    data_dir: Path,
    as_json: bool,
    lang: Language,
) -> None:
    """Take a server's latency apart: queue, prefill, decode, the rest, and why.

    Means, shares and P50/P95/P99 over a window, from the growth of the engine's histograms; a quantile is told with
    the bucket that it lies in. Then the guide's checkpoints for TTFT, TPOT and the tail: does this cost time here,
    yes, no or could not tell, each with its number.

    TARGET is a watched server's name or an address; one that nobody watches is looked at for the window. FOLDER is a
    recording, FILE a bundle of `paramedic record` or scrapes, each headed `# t=EPOCH status=200`.

    \b
    Examples:
      paramedic latency
      paramedic latency qwen3-8b@127.0.0.1:8000 --window 1h
      paramedic latency http://127.0.0.1:8000 --window 20s
      paramedic latency slow.tar.gz --json | jq '.parts[] | {id, mean, share}'
      paramedic latency scrapes.txt.gz --log server.log --until 2026-11-24T03:12 --window 2m

    \b
    Exit codes: 0 within the guide's ranges (TTFT P50 2 s, TPOT P50 50 ms, P95 8 s), 1 above one of them, 2 usage,
    3 could not tell: no request in the window, or a range lies inside a bucket.
    """
    from paramedic.app.latency_source import source_of
    from paramedic.diagnosis.checkpoints import checkpoints

    seconds = None if window is None else seconds_of("--window", window)
    if seconds is not None and not 1.0 <= seconds <= LONGEST:
        raise UsageError("--window must be from 1s to 15d")
    end = None if until is None else _moment(until)
    with source_of(source, data_dir, seconds, partial(_bar, lang)) as found:
        evidence = _evidence(found, seconds, end, log)
        answers = checkpoints(evidence)
        if as_json:
            print_json(_document(found.name, evidence.latency, answers, lang))
        else:
            _show(found.name, evidence.latency, answers, lang)
    ctx.exit(_exit_code(evidence.latency))


def _moment(text: str) -> float:
    """Epoch seconds of what was typed; a time without a zone is the reader's."""
    try:
        return float(text) if text.replace(".", "", 1).isdigit() else datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise UsageError(f"--until: {text!r} is no time: write 2026-11-24T03:12:00 or epoch seconds") from None


def _evidence(source: "Source", seconds: float | None, end: float | None, log: Path | None) -> "Evidence":
    from paramedic.app.latency_source import STORED_S
    from paramedic.diagnosis.checkpoint import Evidence
    from paramedic.diagnosis.latency import take_apart
    from paramedic.diagnosis.window_figures import WindowFigures
    from paramedic.knowledge.lexicon import shipped_vocabulary

    last = source.newest if end is None else min(end, source.newest)
    if last <= source.oldest or (end is not None and end > source.newest + CLOSE):
        raise UsageError(f"--until lies outside of what is known of {source.name}")
    first = max(source.oldest, last - (seconds or STORED_S))
    begin, finish = round(first * 1000), round(last * 1000)
    figures = WindowFigures(source.samples, shipped_vocabulary(), begin, finish, source.matchers).narrowed()
    latency = take_apart(figures)
    if latency is None:
        raise CouldNotTell(
            f"no request of {source.name} got a token in the {last - first:.0f} s of the window, or its figures are "
            "not known: take a longer --window, another --until, or send it requests"
        )
    settings, weights, warnings = _started_with(source, log)
    return Evidence(figures, latency, settings, weights, warnings)


def _started_with(
    source: "Source", log: Path | None
) -> tuple[dict[str, float | str | bool] | None, float | None, tuple[str, ...] | None]:
    """How it was started, the weights of one GPU (GiB), and what its log warned of; None where nobody can tell."""
    from paramedic.app.log_files import read_logs
    from paramedic.capacity.memory import add_up
    from paramedic.cli.startup_log import lines_with, settings_of, starts_of
    from paramedic.diagnosis.arguments import command_arguments
    from paramedic.diagnosis.checks_of_tpot import SLOW_KERNELS
    from paramedic.diagnosis.record import read_record, without_secrets

    given = command_arguments(source.arguments) if source.arguments else None
    logs = read_logs([log]) if log else list(source.logs) or _read(source.log)
    starts = starts_of(logs)
    if not starts:
        return None if given is None else _SWITCHES | given, None, None
    settings = _SWITCHES | (given or {}) | settings_of(starts[-1])
    texts = dict.fromkeys(without_secrets(read_record(line).text, 160) for line in lines_with(logs, SLOW_KERNELS))
    return settings, add_up(starts[-1], settings).gib("weights"), tuple(texts)


def _read(log: Path | None) -> "list[Any]":
    from paramedic.app.log_files import read_logs

    try:
        return [] if log is None else list(read_logs([log]))
    except ParamedicError:
        return []  # the figures are told without it; the checkpoints say what they miss


def _exit_code(latency: "Latency") -> int:
    from paramedic.diagnosis.latency import Normal

    answers = {each.answer for each in latency.ranges}
    if Normal.ABOVE in answers:
        return FOUND
    return FINE if answers == {Normal.WITHIN} else CouldNotTell.exit_code


def _document(name: str, latency: "Latency", answers: "tuple[Checkpoint, ...]", lang: Language) -> dict[str, Any]:
    """A window's latency for machines; seconds, null where not known."""
    plain = asdict(latency)
    plain["from"], plain["to"] = plain.pop("start_ms") / 1000, plain.pop("end_ms") / 1000
    for part, words in zip(plain["parts"], latency.parts, strict=True):
        part["note"] = words.note.in_language(lang)
    plain["checkpoints"] = [
        {
            "id": check.id,
            "about": check.about,
            "answer": check.answer.value,
            "question": check.question.in_language(lang),
            "found": check.found.in_language(lang),
            "do": check.do.in_language(lang),
        }
        for check in answers
    ]
    return {"source": name} | plain


def _show(name: str, latency: "Latency", answers: "tuple[Checkpoint, ...]", lang: Language) -> None:
    from paramedic.cli.screens.latency import latency_lines

    if not sys.stdout.isatty():
        for line in latency_lines(name, latency, answers, lang, UNWRAPPED, plain=True):
            click.echo(line.plain.rstrip())
        return
    from rich.console import Console

    console = Console(highlight=False)
    for line in latency_lines(name, latency, answers, lang, console.width):
        console.print(line, no_wrap=True, overflow="ellipsis")


@contextmanager
def _bar(lang: Language, name: str, seconds: float) -> Iterator[Callable[[float], None]]:
    """How long a live look still takes, on a terminal; none in a pipe."""
    if not sys.stderr.isatty():
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(_LOOKING.in_language(lang).format(name), total=seconds)
        yield lambda done: bar.update(task, completed=done)
