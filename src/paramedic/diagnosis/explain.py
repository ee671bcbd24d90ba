"""A match in words: title, summary, the chain of lines, and remedies as exact flags."""

import string
from collections.abc import Mapping, Sequence

from paramedic.diagnosis.arguments import as_fields
from paramedic.diagnosis.conditions import Value
from paramedic.diagnosis.match import Match, evidence_at
from paramedic.diagnosis.pattern import Catalogue, RemedyText
from paramedic.diagnosis.record import without_secrets
from paramedic.model.finding import Evidence, Finding, Remedy
from paramedic.model.text import Text, as_written

CHAIN_WIDTH = 240  # characters of a line
NONE: Mapping[str, Text] = {}
CHAIN = 8  # lines; the rest of the fallout repeats these


def finding_of(match: Match, catalogue: Catalogue, arguments: Mapping[str, Value]) -> Finding:
    """Put a match into words; an older run, since followed by a new start, is less certain to matter now."""
    fault = match.fault
    known = as_fields(arguments) | {key: without_secrets(value, 200) for key, value in match.fields.items()}
    row = fault.table.row(match.fields) if fault.table else None
    words = fault.table.words(match.fields) if fault.table else {}
    return Finding(
        cause=fault.id,
        family=fault.family,
        category=fault.category,
        level=fault.level,
        confidence=round(match.confidence * (0.8 if match.age else 1.0), 2),
        title=fault.title,
        summary=first_complete(fault.summaries, known, words),
        evidence=match.evidence,
        chain=_chain(match),
        remedies=tuple(_remedy(catalogue.remedies[name], known) for name in (row and row.remedies) or fault.remedies),
        restart=fault.restart,
        since=match.windows[0].since if match.windows else None,
        until=match.windows[0].until if match.windows else None,
    )


def first_complete(texts: Sequence[Text], known: Mapping[str, str], words: Mapping[str, Text] = NONE) -> Text:
    """The first text all of whose numbers and words are known; of the last one, unknown ones show as `?`."""
    for text in texts[:-1]:
        if holes(text.en) | holes(text.zh) <= known.keys() | words.keys():
            return _fill(text, known, words)
    return _fill(texts[-1], known, words)


def holes(text: str) -> set[str]:
    """The names in braces in a text."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def _fill(text: Text, known: Mapping[str, str], words: Mapping[str, Text]) -> Text:
    each = {name: words.get(name) or as_written(known.get(name, "?")) for name in holes(text.en) | holes(text.zh)}
    return Text(
        text.en.format(**{name: word.en for name, word in each.items()}),
        text.zh.format(**{name: word.zh for name, word in each.items()}),
    )


def _remedy(remedy: RemedyText, known: Mapping[str, str]) -> Remedy:
    """Flags whose number is not known are left out: a guessed flag is worse than none."""
    flags = tuple(flag.format(**known) for flag in remedy.flags if holes(flag) <= known.keys())
    return Remedy(remedy.id, first_complete(remedy.texts, known), flags)


def _chain(match: Match) -> tuple[Evidence, ...]:
    """From the first error to its fallout, each kind of fallout once."""
    run = match.run
    if run is None or match.advice:
        return ()
    lines: dict[str, int] = {}
    for hit in run.fallout:
        if hit.index != match.index:
            lines.setdefault(hit.record.text, hit.index)
    first = [match.index] if match.index >= 0 else []
    after = [index for index in lines.values() if index > match.index]
    before = [index for index in lines.values() if 0 <= match.index - index <= CHAIN * 30]
    order = sorted({*first, *before[-2:], *after[:CHAIN]})
    return tuple(evidence_at(run.log, index, CHAIN_WIDTH) for index in order)
