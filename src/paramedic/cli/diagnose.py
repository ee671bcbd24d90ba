"""`paramedic diagnose`: say what is wrong: from logs, a recording, an incident, or a running server."""

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from paramedic.app.log_files import read_logs
from paramedic.cli.completion import any_id, watched_server
from paramedic.cli.options import data_dir_option, json_option, lang_option, print_json, seconds_of
from paramedic.model.errors import UsageError
from paramedic.model.finding import Diagnosis, Finding, Verdict
from paramedic.model.text import Language, Text

if TYPE_CHECKING:
    from paramedic.cli.screens.layout import Line

EXIT_CODES = {Verdict.HEALTHY: 0, Verdict.FAULT: 1, Verdict.UNKNOWN: 3}
PATIENCE = 2.0  # seconds before a person is shown that work goes on
UNWRAPPED = 100_000  # cells: in a pipe a line stays a line, so that grep finds it whole

_ADVICE = Text("advice (costs something, breaks nothing)", "建议（有代价，但不是故障）")
_READING = Text("reading", "读取中")


@click.command("diagnose", short_help="Say what is wrong: from logs, a recording, an incident, or a running server.")
@click.argument(
    "files",
    metavar="[FILE...]",
    nargs=-1,
    type=click.Path(allow_dash=True, readable=False, path_type=Path),
)
@click.option("--target", default="", metavar="URL|NAME", shell_complete=watched_server, help="A server that runs now.")
@click.option(
    "--for", "duration", default="20s", show_default=True, metavar="TIME", help="How long a --target is seen."
)
@click.option("--log", default="", type=click.Path(dir_okay=False), help="The log of a --target, where not found.")
@click.option("--incident", default="", metavar="ID", shell_complete=any_id, help="An incident of before, read again.")
@click.option("--baseline", type=click.Path(path_type=Path), help="A recording of a good time, to compare with.")
@click.option("--verbose", "-v", is_flag=True, help="Every finding with its evidence, not only the first.")
@data_dir_option
@json_option
@lang_option
@click.pass_context
def command(
    ctx: click.Context,
    files: tuple[Path, ...],
    target: str,
    duration: str,
    log: str,
    incident: str,
    baseline: Path | None,
    verbose: bool,
    data_dir: Path,
    as_json: bool,
    lang: Language,
) -> None:
    """Say what is wrong: from log files, from a recording, from an incident of before, or with a server that runs now.

    A FILE is the engine's log as it is, or as docker, docker compose, kubectl or journalctl print it; `-` reads
    standard input, .gz is unpacked. Give the logs of all workers or nodes together: the first cause among them counts.
    Or it is one recording (a file of `paramedic record`, or a folder laid out like it), or a folder of logs.
    Nothing is sent anywhere.

    A --target is looked at for a while: its log, its metrics, its process; nothing of it is changed.

    \b
    Examples:
      paramedic diagnose server.log
      docker logs vllm 2>&1 | paramedic diagnose -
      kubectl logs --prefix -l app=vllm | paramedic diagnose --lang zh -
      paramedic diagnose node0.log node1.log --json | jq -r '.findings[0].cause'
      paramedic diagnose --target http://127.0.0.1:8000
      paramedic diagnose slow.tar.gz --baseline yesterday.tar.gz
      paramedic diagnose --incident INC-2026-0042

    \b
    Exit codes: 0 nothing wrong, 1 a fault was found, 2 usage, 3 could not tell, 70 a defect of ours.
    """
    _refuse_contradictions(ctx, files, target, incident)
    diagnosis = _of(files, target, incident, baseline, log, duration, data_dir, lang)
    if as_json:
        print_json(_document(diagnosis, lang))
    else:
        _show(diagnosis, lang, verbose)
    ctx.exit(EXIT_CODES[diagnosis.verdict])


def _refuse_contradictions(ctx: click.Context, files: tuple[Path, ...], target: str, incident: str) -> None:
    """One thing is looked at, and no option is passed over in silence."""
    given = [bool(files), _is_given(ctx, "target"), _is_given(ctx, "incident")]
    if sum(given) != 1:
        wanted = "only one of FILE..., --target and --incident" if any(given) else "a FILE, --target or --incident"
        raise UsageError(f"say what to look at: give {wanted} (examples: paramedic diagnose --help)")
    for option, name in (("--for", "duration"), ("--log", "log")):
        if _is_given(ctx, name) and not _is_given(ctx, "target"):
            raise UsageError(f"{option} belongs to a --target: the others were recorded already")
    for option, value in (("--target", target), ("--incident", incident)):
        if _is_given(ctx, option.removeprefix("--")) and not value.strip():
            raise UsageError(f"{option} is empty: say which")


def _is_given(ctx: click.Context, name: str) -> bool:
    return ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE


def _of(
    files: tuple[Path, ...],
    target: str,
    incident: str,
    baseline: Path | None,
    log: str,
    duration: str,
    data_dir: Path,
    lang: Language,
) -> Diagnosis:
    if not (target or incident or baseline or any(map(_may_be_a_recording, files))):
        return _diagnose(files, lang)
    from paramedic.cli import diagnose_recorded as recorded  # what it needs takes long to import

    if target:
        seconds = seconds_of("--for", duration)
        return recorded.diagnose_target(target, data_dir, seconds, log, baseline, lang)
    if incident:
        return recorded.diagnose_incident(incident, data_dir, baseline)
    if (recording := recorded.recording_among(files)) is not None:
        return recorded.diagnose_file(recording, baseline)
    if len(files) == 1 and files[0].is_dir():
        files = recorded.logs_of(files[0])
    if baseline is not None:
        raise UsageError("--baseline is compared with numbers: give a recording or a --target with it, not a log")
    return _diagnose(files, lang)


def _may_be_a_recording(path: Path) -> bool:
    """A folder, or something packed; what is surely a plain log is not looked at more closely."""
    try:
        if str(path) == "-" or not path.is_file():
            return path.is_dir()
        with path.open("rb") as begin:
            head = begin.read(262)
    except OSError:
        return False
    return head.startswith(b"\x1f\x8b") or head.endswith(b"ustar")


def _diagnose(files: Sequence[Path], lang: Language) -> Diagnosis:
    from paramedic.app.knowledge import catalogue_in_use
    from paramedic.diagnosis.diagnose import diagnose
    from paramedic.diagnosis.scene import Log, Scene

    logs = read_logs(files)
    with _Progress(sum(log.lines.size for log in logs), _READING.in_language(lang)) as progress:
        for log in logs:
            log.lines.watch = progress.advance
        diagnosis = diagnose(Scene(tuple(Log(log.name, log.lines, gap=log.gap) for log in logs)), catalogue_in_use())
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
    """`from` and `to` (epoch seconds) are there where numbers showed it."""
    window = {} if finding.since is None else {"from": finding.since, "to": finding.until}
    return {
        "cause": finding.cause,
        "family": finding.family,
        "category": finding.category.value,
        "level": finding.level.value,
        "confidence": finding.confidence,
        **window,
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
    from paramedic.cli.screens.diagnosis import diagnosis_lines, window_words
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
        if when := window_words(finding, lang):
            yield line("      ", (when, "dim"))
        words = [finding.summary, *(remedy.text for remedy in finding.remedies if verbose)]
        for text in words:
            yield from (line(part) for part in wrapped(text.in_language(lang), width, " " * 6))
