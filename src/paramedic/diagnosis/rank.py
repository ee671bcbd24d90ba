"""Which of the faults that show themselves is the first cause: fallout, death notices and older starts step back."""

from collections.abc import Sequence

from paramedic.diagnosis.match import Match
from paramedic.model.level import Level

GRAVE = (Level.P0, Level.P1)


def ranked(matches: Sequence[Match]) -> list[Match]:
    """Causes in order, the first cause first. What a grave cause of the same run explains is left to its chain."""
    best: dict[str, Match] = {}
    for match in sorted(matches, key=_order):
        known = best.setdefault(match.fault.id, match)
        if known is not match and known.run is None and match.run is not None and match.age == 0:
            best[match.fault.id] = _joined(known, match)
    seen = list(best.values())
    kept = [match for match in seen if not _explained(match, seen)]
    return sorted(kept, key=_order)


def _joined(watched: Match, logged: Match) -> Match:
    """The same fault seen by the watcher and in the log: one finding with both evidences."""
    return Match(
        watched.fault,
        max(watched.confidence, logged.confidence),
        watched.evidence + logged.evidence,
        {**watched.fields, **logged.fields},
        logged.run,
        logged.index,
        windows=watched.windows or logged.windows,
    )


def _explained(match: Match, others: Sequence[Match]) -> bool:
    """Whether a grave cause explains it: one from the log, or one that makes a mere death notice pointless."""
    return any(match.fault.id in other.fault.explains and _at_once(match, other) for other in others) or any(
        other.fault.level in GRAVE
        and other.age == match.age
        and other.fault.yields < match.fault.yields
        and (other.run is not None or match.fault.yields - other.fault.yields > 1)
        for other in others
    )


def _at_once(match: Match, other: Match) -> bool:
    """Whether both showed themselves in the same run, and where the numbers tell when, at the same time."""
    if match.age != other.age or not match.windows or not other.windows:
        return match.age == other.age
    return any(a.since <= b.until and b.since <= a.until for a in match.windows for b in other.windows)


def _order(match: Match) -> tuple[int, bool, int, float, float]:
    """Newest run, grave before lesser, causes before consequences, then the earlier in time."""
    when = match.run.seconds_at(match.index) if match.run else None
    grave = match.fault.level in GRAVE
    first = -1.0 if match.run is None else (when if when is not None else 0.0)
    return (match.age, not grave, match.fault.yields, first + match.index * 1e-7, -match.confidence)
