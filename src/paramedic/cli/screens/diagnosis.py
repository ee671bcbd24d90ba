"""A diagnosis for people: the cause, its evidence, the way from it to the fallout, and the remedy."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rich.cells import cell_len

from paramedic.cli.screens import figures, words
from paramedic.cli.screens.layout import Line, clean, line, line_and_rest, wrapped
from paramedic.cli.screens.words import say
from paramedic.model.finding import Diagnosis, Evidence, Finding, Verdict
from paramedic.model.text import Language, Text

_HEALTHY = Text("Nothing wrong is to be seen.", "没有看出问题。")
_UNKNOWN = Text("Could not tell.", "无法判断。")
_MISSING = Text("missing: {}", "缺少：{}")
_SURE = Text("confidence {}", "置信度 {}")
_SEEN = Text("seen from {} to {} ({})", "出现于 {} 至 {}（{}）")
_EVIDENCE = Text("evidence", "证据")
_CHAIN = Text("from the first error to its fallout", "从最初的错误到后果")
_REMEDIES = Text("what to do", "怎么办")
_ABOVE = Text("as above", "见上")
_SOURCES = {  # of evidence that stands in no file
    "watcher": Text("seen by the watch", "看护所见"),
    "metrics": Text("metrics", "指标"),
    "arguments": Text("arguments", "启动参数"),
}
_ALSO = Text("also seen", "另外看到")


def diagnosis_lines(diagnosis: Diagnosis, lang: Language, width: int) -> Iterator[Line]:
    """The first finding whole, the others by their titles; or what is missing to tell."""
    if diagnosis.verdict is Verdict.FAULT and diagnosis.findings:
        first, *others = diagnosis.findings
        yield from _finding(first, lang, width)
        if others:
            yield line("  ", (say(_ALSO, lang), "dim"))
        for other in others:
            yield line(f"    {say(other.title, lang)} ", (f"({other.cause}, {figures.share(other.confidence)})", "dim"))
    else:
        yield line("  " + say(_HEALTHY if diagnosis.verdict is Verdict.HEALTHY else _UNKNOWN, lang))
    for text in diagnosis.missing:
        yield from (line((part, "dim")) for part in wrapped(say(_MISSING, lang).format(say(text, lang)), width, "  "))


def _finding(finding: Finding, lang: Language, width: int) -> Iterator[Line]:
    """What is wrong, why we think so, and what to do; then what was seen."""
    yield from _title(finding, lang, width)
    yield from (line(text) for text in wrapped(say(finding.summary, lang), width, "  "))
    if when := window_words(finding, lang):
        yield line("  ", (when, "dim"))
    if finding.remedies:
        yield line("  ", (say(_REMEDIES, lang), "dim"))
    for remedy in finding.remedies:
        first, *rest = wrapped(say(remedy.text, lang), width, " " * 6)
        yield line("    - " + first.strip())
        yield from (line(text) for text in rest)
        if remedy.flags:
            yield line(" " * 6, (" ".join(remedy.flags), "bold green"))
    yield from _evidence(say(_EVIDENCE, lang), finding.evidence, lang, width)
    shown = {(one.file, one.line) for one in finding.evidence}
    if any((one.file, one.line) not in shown for one in finding.chain):
        chain = [_as_above(one, lang) if (one.file, one.line) in shown else one for one in finding.chain]
        yield from _evidence(say(_CHAIN, lang), chain, lang, width)


def _title(finding: Finding, lang: Language, width: int) -> Iterator[Line]:
    sure = say(_SURE, lang).format(figures.share(finding.confidence))
    category = say(words.CATEGORIES.get(finding.category), lang, finding.category)
    level = (finding.level.value, words.LEVEL_COLOURS[finding.level])
    title = ("  ", level, "  ", (say(finding.title, lang), "bold"))
    yield from line_and_rest(width, "  ", title, [(f"{finding.cause} · {category} · {sure}", "dim")])


def _as_above(evidence: Evidence, lang: Language) -> Evidence:
    return replace(evidence, text=say(_ABOVE, lang))


def window_words(finding: Finding, lang: Language) -> str:
    """When numbers showed it, in the reader's zone; "" where none did."""
    if finding.since is None or finding.until is None:
        return ""
    begin, end = int(finding.since * 1e9), int(finding.until * 1e9)
    same_day = figures.day_and_time(begin)[:10] == figures.day_and_time(end)[:10]
    last = figures.clock(end) if same_day else figures.day_and_time(end)
    return say(_SEEN, lang).format(figures.day_and_time(begin), last, figures.duration(finding.until - finding.since))


def _evidence(title: str, evidence: Sequence[Evidence], lang: Language, width: int) -> Iterator[Line]:
    """Each line that was seen behind its place, or below it where the width does not allow that."""
    if evidence:
        yield line("  ", (title, "dim"))
    for one in evidence:
        source = say(_SOURCES.get(one.file), lang, one.file)
        place = line("    ", (f"{one.file}:{one.line}" if one.line else source, "cyan"))
        text = clean(one.text.strip())
        if place.cell_len + 2 + cell_len(text) <= width:
            yield place.append("  " + text)
        else:
            yield place
            yield from (line(part) for part in wrapped(text, width, " " * 6))
