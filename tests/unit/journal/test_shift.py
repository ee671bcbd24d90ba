"""A clock that is set: what goes on keeps its age, what is over its time."""

from dataclasses import replace

import pytest

from paramedic.journal import events as e
from paramedic.journal.fold import fold
from tests.fakes.night import INCIDENT, QWEN, RESTART, SECOND, crash_and_restart

HOUR = 3600


def at_cut(kind: type[e.Event]) -> list:  # type: ignore[type-arg]
    """The night up to an event of this type, it included."""
    night = crash_and_restart()
    return night[: next(n for n, entry in enumerate(night) if isinstance(entry.event, kind)) + 1]


@pytest.mark.parametrize("by", [-HOUR, HOUR])
def test_ages_stay_what_they_were(by: int) -> None:
    entries = at_cut(e.ActionStarted)
    before = fold(entries)
    last = entries[-1]
    set_ = replace(last, seq=last.seq + 1, at=last.at + by * SECOND, because=None, event=e.ClockWasSet(by))
    after = fold([*entries, set_])
    moved = by * SECOND
    assert after.targets[QWEN.name].state_since == before.targets[QWEN.name].state_since + moved
    assert after.targets[QWEN.name].seen_at == before.targets[QWEN.name].seen_at + moved
    assert after.incidents[INCIDENT].opened_at == before.incidents[INCIDENT].opened_at + moved
    assert after.incidents[INCIDENT].diagnosed_at == before.incidents[INCIDENT].diagnosed_at + moved
    assert [a.fired_at - moved for a in after.firing()] == [a.fired_at for a in before.firing()]
    action = after.actions[RESTART]
    assert action.started_at == (before.actions[RESTART].started_at or 0) + moved
    assert action.request.not_before == 0  # at once stays at once
    assert after.clock_set_by == by


def test_an_incident_that_is_over_stays_as_it_was_written() -> None:
    entries = crash_and_restart()
    before = fold(entries)
    last = entries[-1]
    after = fold([*entries, replace(last, seq=last.seq + 1, because=None, event=e.ClockWasSet(-HOUR))])
    assert before.incidents[INCIDENT].resolved_at is not None
    assert after.incidents[INCIDENT] == before.incidents[INCIDENT]
    over = [alert.alert.id for alert in before.alerts.values() if alert.resolved_at is not None]
    assert over
    assert [after.alerts[id_] for id_ in over] == [before.alerts[id_] for id_ in over]


@pytest.mark.parametrize("by", [-HOUR, HOUR])
def test_a_hold_ends_after_the_seconds_that_were_meant(by: int) -> None:
    entries = crash_and_restart()
    last = entries[-1]
    until = last.at + 600 * SECOND
    held = replace(last, seq=last.seq + 1, because=None, event=e.TargetHeld(QWEN.name, "li", until))
    set_ = replace(last, seq=last.seq + 2, because=None, event=e.ClockWasSet(by))
    hold = fold([*entries, held, set_]).targets[QWEN.name].hold
    assert hold is not None
    assert (hold.since, hold.until) == (held.at + by * SECOND, until + by * SECOND)
