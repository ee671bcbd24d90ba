"""A diagnosis for people: the cause, its evidence, the way from it to the fallout, and the remedy."""

from collections.abc import Iterator

from rich.cells import cell_len

from paramedic.cli.screens import figures, words
from paramedic.cli.screens.layout import Line, clean, line, wrapped
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
    sure = say(_SURE, lang).format(figures.share(finding.confidence))
    category = say(words.CATEGORIES.get(finding.category), lang, finding.category)
    yield line(
        *("  ", (finding.level.value, words.LEVEL_COLOURS[finding.level]), "  ", (say(finding.title, lang), "bold")),
        (f"  {finding.cause} · {category} · {sure}", "dim"),
    )
    yield from (line(text) for text in wrapped(say(finding.summary, lang), width, "  "))
    if finding.since is not None and finding.until is not None:
        yield line("  ", (_window(finding.since, finding.until, lang), "dim"))
    yield from _evidence(say(_EVIDENCE, lang), finding.evidence, width)
    yield from _evidence(say(_CHAIN, lang), finding.chain, width)
    if finding.remedies:
        yield line("  ", (say(_REMEDIES, lang), "dim"))
    for remedy in finding.remedies:
        first, *rest = wrapped(say(remedy.text, lang), width, " " * 6)
        yield line("    - " + first.strip())
        yield from (line(text) for text in rest)
        if remedy.flags:
            yield line(" " * 6, (" ".join(remedy.flags), "bold green"))


def _window(since: float, until: float, lang: Language) -> str:
    """When numbers showed it, in the reader's zone."""
    begin, end = int(since * 1e9), int(until * 1e9)
    same_day = figures.day_and_time(begin)[:10] == figures.day_and_time(end)[:10]
    last = figures.clock(end) if same_day else figures.day_and_time(end)
    return say(_SEEN, lang).format(figures.day_and_time(begin), last, figures.duration(until - since))


def _evidence(title: str, evidence: tuple[Evidence, ...], width: int) -> Iterator[Line]:
    """Each line that was seen behind its place, or below it where the width does not allow that."""
    if evidence:
        yield line("  ", (title, "dim"))
    for one in evidence:
        place = line("    ", (f"{one.file}:{one.line}" if one.line else one.file, "cyan"))
        text = clean(one.text.strip())
        if place.cell_len + 2 + cell_len(text) <= width:
            yield place.append("  " + text)
        else:
            yield place
            yield from (line(part) for part in wrapped(text, width, " " * 6))
