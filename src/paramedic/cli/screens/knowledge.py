"""Faults as a person reads them: the list by family, and one fault in both languages."""

from collections.abc import Iterator
from typing import Any

from rich.cells import cell_len

from paramedic.diagnosis.pattern import Catalogue, Fault, RemedyText
from paramedic.knowledge.describe import RESTARTS, Clue, clues, cures
from paramedic.model.text import Language, Text

_SHOWS = Text("How it shows itself (any one of these)", "如何识别（满足任意一条）")
_SAYS = Text("What is said of it", "诊断说明")
_CURES = Text("What to do", "处理方法")
_SOURCE = Text("Where this is known from", "来源")
_ADVICE = Text("advice: it costs something and breaks nothing", "建议：有代价，但不是故障")


def list_lines(catalogue: Catalogue, lang: Language) -> Iterator[str]:
    """Every fault by family, a line each."""
    width = max(cell_len(fault.id) for fault in catalogue.faults)
    for family in sorted({fault.family for fault in catalogue.faults}):
        yield family
        for fault in catalogue.faults:
            if fault.family == family:
                sort = "  " if fault.advice else fault.level
                yield f"  {fault.id:<{width}}  {sort}  {fault.title.in_language(lang)}"


def fault_lines(fault: Fault, catalogue: Catalogue) -> Iterator[str]:
    """One fault, English and Chinese side by side."""
    yield from [fault.id, *_both(fault.title, "  ")]
    yield f"  {fault.family} · {fault.category} · {fault.level}"
    yield from _both(_ADVICE if fault.advice else RESTARTS[fault.restart], "  ")
    yield from ["", _heading(_SAYS)]
    for summary in fault.summaries:
        yield from _both(summary, "  ")
    yield from ["", _heading(_SHOWS)]
    for number, sight in enumerate(fault.sights, 1):
        for position, clue in enumerate(clues(sight)):
            yield (f"  {number}. " if position == 0 else "     ") + _clue(clue)
    yield from _both(fault.ask, "  ") if fault.ask else ()
    yield from ["", _heading(_CURES)]
    for number, name in enumerate(cures(fault), 1):
        yield from _cure(catalogue.remedies[name], number)
    yield from ["", _heading(_SOURCE), f"  {fault.source}"]


def fault_document(fault: Fault, catalogue: Catalogue) -> dict[str, Any]:
    """One fault for machines."""
    return {
        "id": fault.id,
        "family": fault.family,
        "category": fault.category.value,
        "level": fault.level.value,
        "restart": fault.restart.value,
        "advice": fault.advice,
        "title": _plain(fault.title),
        "summaries": [_plain(text) for text in fault.summaries],
        "sights": [
            [{"about": _plain(clue.about), "quoted": clue.quoted} for clue in clues(sight)] for sight in fault.sights
        ],
        "ask": _plain(fault.ask) if fault.ask else None,
        "remedies": [
            {"id": name, "texts": [_plain(text) for text in remedy.texts], "flags": list(remedy.flags)}
            for name in cures(fault)
            for remedy in [catalogue.remedies[name]]
        ],
        "source": fault.source,
    }


def _cure(remedy: RemedyText, number: int) -> Iterator[str]:
    yield f"  {number}. {remedy.id}"
    for text in remedy.texts:
        yield from _both(text, "     ")
    for flag in remedy.flags:
        yield f"     {flag}"


def _both(text: Text, before: str) -> Iterator[str]:
    yield before + text.en
    if text.zh != text.en:
        yield " " * len(before) + text.zh


def _clue(clue: Clue) -> str:
    about = f"{clue.about.en} · {clue.about.zh}"
    return f"{about}: {clue.quoted}" if clue.quoted else about


def _heading(text: Text) -> str:
    return f"{text.en} · {text.zh}"


def _plain(text: Text) -> dict[str, str]:
    return {"en": text.en, "zh": text.zh}
