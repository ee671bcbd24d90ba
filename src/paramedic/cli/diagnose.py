"""`paramedic diagnose`: say what is wrong, from log files alone."""

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from paramedic.cli.log_files import read_logs
from paramedic.cli.options import json_option, lang_option, print_json
from paramedic.model.finding import Diagnosis, Finding, Verdict
from paramedic.model.text import Language, Text

if TYPE_CHECKING:
    from paramedic.cli.screens.layout import Line

EXIT_CODES = {Verdict.HEALTHY: 0, Verdict.FAULT: 1, Verdict.UNKNOWN: 3}
PATIENCE = 2.0  # seconds before a person is shown that work goes on
UNWRAPPED = 100_000  # cells: in a pipe a line stays a line, so that grep finds it whole

_ADVICE = Text("advice (costs something, breaks nothing)", "建议（有代价，但不是故障）")
_READING = Text("reading", "读取中")


@click.command("diagnose", short_help="Say what is wrong, from log files alone.")
@click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(allow_dash=True, readable=False, path_type=Path),
)
@click.option("--verbose", "-v", is_flag=True, help="Every finding with its evidence, not only the first.")
@json_option
@lang_option
@click.pass_context
def command(ctx: click.Context, files: tuple[Path, ...], verbose: bool, as_json: bool, lang: Language) -> None:
    """Say what is wrong, from log files alone.

    A FILE is the engine's log as it is, or as docker, docker compose, kubectl or journalctl print it; `-` reads
    standard input, .gz is unpacked. Give the logs of all workers or nodes together: the first cause among them counts.
    Nothing is sent anywhere.

    \b
    Examples:
      paramedic diagnose server.log
      docker logs vllm 2>&1 | paramedic diagnose -
      kubectl logs --prefix -l app=vllm | paramedic diagnose --lang zh -
      paramedic diagnose node0.log node1.log --json | jq -r '.findings[0].cause'

    \b
    Exit codes: 0 nothing wrong, 1 a fault was found, 2 usage, 3 could not tell, 70 a defect of ours.
    """
    diagnosis = _diagnose(files, lang)
    if as_json:
        print_json(_document(diagnosis, lang))
    else:
        _show(diagnosis, lang, verbose)
    ctx.exit(EXIT_CODES[diagnosis.verdict])


def _diagnose(files: Sequence[Path], lang: Language) -> Diagnosis:
    from paramedic.diagnosis.diagnose import diagnose
    from paramedic.diagnosis.scene import Log, Scene
    from paramedic.knowledge.catalogue import load_catalogue

    logs = read_logs(files)
    with _Progress(sum(log.lines.size for log in logs), _READING.in_language(lang)) as progress:
        for log in logs:
            log.lines.watch = progress.advance
        diagnosis = diagnose(Scene(tuple(Log(log.name, log.lines, gap=log.gap) for log in logs)), load_catalogue())
    return _with_what_was_not_read(diagnosis, tuple(log.left_out for log in logs if log.left_out))


def _with_what_was_not_read(diagnosis: Diagnosis, left_out: tuple[Text, ...]) -> Diagnosis:
    """Nothing wrong in the half of a log is not: nothing wrong."""
    if not left_out:
        return diagnosis
    verdict = Verdict.UNKNOWN if diagnosis.verdict is Verdict.HEALTHY else diagnosis.verdict
    return replace(diagnosis, verdict=verdict, missing=(*diagnosis.missing, *left_out))


class _Progress:
    """A bar on standard error, only for a person and only when it takes longer than they like to wait."""

    def __init__(self, total: int, label: str) -> None:
        self._total = total
        self._label = label
        self._done = 0
        self._start = time.monotonic()
        self._bar: Any = None

    def __enter__(self) -> "_Progress":
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.__exit__(None, None, None)

    def advance(self, size: int) -> None:
        self._done += size
        if not sys.stderr.isatty():
            return
        if self._bar is None and time.monotonic() - self._start > PATIENCE:
            self._bar = click.progressbar(length=self._total, label=self._label, file=sys.stderr)
            self._bar.__enter__()
            self._bar.update(self._done)
        elif self._bar is not None:
            self._bar.update(size)


def _document(diagnosis: Diagnosis, lang: Language) -> dict[str, Any]:
    return {
        "verdict": diagnosis.verdict.value,
        "findings": [_finding(finding, lang) for finding in diagnosis.findings],
        "advice": [_finding(finding, lang) for finding in diagnosis.advice],
        "missing": [text.in_language(lang) for text in diagnosis.missing],
    }


def _finding(finding: Finding, lang: Language) -> dict[str, Any]:
    return {
        "cause": finding.cause,
        "family": finding.family,
        "category": finding.category.value,
        "level": finding.level.value,
        "confidence": finding.confidence,
        "title": finding.title.in_language(lang),
        "summary": finding.summary.in_language(lang),
        "evidence": [{"file": one.file, "line": one.line, "text": one.text} for one in finding.evidence],
        "remedies": [
            {"id": remedy.id, "text": remedy.text.in_language(lang), "flags": list(remedy.flags)}
            for remedy in finding.remedies
        ],
    }


def _show(diagnosis: Diagnosis, lang: Language, verbose: bool) -> None:
    if not sys.stdout.isatty():
        for line in _screen(diagnosis, lang, UNWRAPPED, verbose):
            click.echo(line.plain.rstrip())
        return
    from rich.console import Console

    console = Console(highlight=False)
    for line in _screen(diagnosis, lang, console.width, verbose):
        console.print(line)


def _screen(diagnosis: Diagnosis, lang: Language, width: int, verbose: bool) -> "Iterator[Line]":
    from paramedic.cli.screens.diagnosis import diagnosis_lines
    from paramedic.cli.screens.layout import line, wrapped

    if verbose:
        for finding in diagnosis.findings or (None,):
            alone = diagnosis if finding is None else Diagnosis(diagnosis.verdict, (finding,))
            yield from diagnosis_lines(alone, lang, width)
    else:
        yield from diagnosis_lines(diagnosis, lang, width)
    if diagnosis.advice:
        yield line("  ", (_ADVICE.in_language(lang), "dim"))
    for finding in diagnosis.advice:
        place = next((f"{one.file}:{one.line}" for one in finding.evidence if one.line), "")
        yield line("    - ", finding.title.in_language(lang), (f"  {finding.cause}  {place}", "dim"))
        words = [finding.summary, *(remedy.text for remedy in finding.remedies if verbose)]
        for text in words:
            yield from (line(part) for part in wrapped(text.in_language(lang), width, " " * 6))
