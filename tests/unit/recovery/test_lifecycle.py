"""The life of an action, as a table."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paramedic.journal import events as e
from paramedic.journal.fold import fold
from paramedic.model.action import ActionKind, Outcome
from paramedic.recovery.lifecycle import TRANSITIONS, Stage, stage
from tests.fakes.night import Pen
from tests.unit.recovery.stories import WHY, T

A = "ACT-0001"
APPROVED, REJECTED, STARTED = e.ActionApproved(A, "li"), e.ActionRejected(A, "li"), e.ActionStarted(A)


def requested(*, approval: bool) -> e.ActionRequested:
    return e.ActionRequested(A, ActionKind.RESTART, T, "INC-1", WHY, 1, approval)


def stages(*events: e.Event) -> list[Stage]:
    """The stage after each event."""
    pen = Pen()
    found = []
    for second, event in enumerate(events):
        pen.write(second, event)
        found.append(stage(fold(pen.entries).actions[A]))
    return found


@pytest.mark.parametrize(
    ("events", "end"),
    [
        ((requested(approval=False),), Stage.WAITING),
        ((requested(approval=True),), Stage.WAITING_FOR_APPROVAL),
        ((requested(approval=True), APPROVED), Stage.WAITING),
        ((requested(approval=True), REJECTED), Stage.REJECTED),
        ((requested(approval=False), REJECTED), Stage.REJECTED),
        ((requested(approval=False), STARTED), Stage.RUNNING),
        ((requested(approval=True), APPROVED, STARTED), Stage.RUNNING),
        ((requested(approval=False), STARTED, e.ActionFinished(A, Outcome.DONE)), Stage.DONE),
        ((requested(approval=False), STARTED, e.ActionFinished(A, Outcome.FAILED)), Stage.FAILED),
        ((requested(approval=False), STARTED, e.ActionFinished(A, Outcome.UNKNOWN)), Stage.UNKNOWN),
    ],
)
def test_where_an_action_stands(events: tuple[e.Event, ...], end: Stage) -> None:
    assert stages(*events)[-1] is end


def test_every_stage_is_in_the_table_and_leads_to_known_ones() -> None:
    assert set(TRANSITIONS) == set(Stage)
    ends = {one for one, after in TRANSITIONS.items() if not after}
    assert ends == {Stage.DONE, Stage.FAILED, Stage.UNKNOWN, Stage.REJECTED}


@settings(max_examples=60, deadline=None)
@given(st.booleans(), st.booleans(), st.sampled_from(Outcome))
def test_what_the_pipeline_writes_takes_only_steps_of_the_table(approval: bool, agreed: bool, outcome: Outcome) -> None:
    life: list[e.Event] = [requested(approval=approval)]
    if approval:
        life.append(APPROVED if agreed else REJECTED)
    if agreed or not approval:
        life += [STARTED, e.ActionProgressed(A, "stopped"), e.ActionFinished(A, outcome)]
    seen = stages(*life)
    for before, after in pairwise(seen):
        assert before is after or after in TRANSITIONS[before]
