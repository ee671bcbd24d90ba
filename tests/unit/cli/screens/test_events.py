"""One line an event, in both languages, for every kind of event."""

import pytest

from paramedic.cli.screens.events import line, tell
from paramedic.journal import events as e
from paramedic.journal.codec import Entry, UnknownEvent, event_types
from paramedic.model.finding import Diagnosis, Verdict
from paramedic.model.target import Target
from paramedic.model.text import Text
from tests.fakes.night import BEGIN, waits_for_a_person

NOISE = {e.AlertJoinedIncident, e.DeliveryRequested}


@pytest.mark.parametrize("kind", sorted(event_types(), key=lambda kind: kind.__name__), ids=lambda kind: kind.__name__)
def test_each_kind_is_told_or_is_noise_on_purpose(kind: type[e.Event]) -> None:
    from paramedic.cli.screens.events import _TELLERS

    assert (kind in _TELLERS) != (kind in NOISE)


def test_the_lines_of_a_night_differ_between_the_languages() -> None:
    for entry in waits_for_a_person():
        english, chinese = line(entry, "en"), line(entry, "zh")
        assert (english is None) == (chinese is None) == (type(entry.event) in NOISE)
        if english and not isinstance(entry.event, e.ActionProgressed):  # its step is the pipeline's own words
            assert english != chinese
            assert "\n" not in english


def test_an_event_of_another_version_is_named() -> None:
    told = line(Entry(1, BEGIN, None, UnknownEvent("EngineDanced", "{}")), "en")
    assert told is not None
    assert told.endswith("an event that this version of Paramedic does not know: EngineDanced")


def test_what_could_not_be_read_and_what_has_no_address() -> None:
    assert tell(e.ReadingRefused("a", Text("no", "不可")), "zh") == ("", "a", "不可")
    told = tell(e.TargetAdded(Target("a", "")), "en")
    assert told is not None
    assert told[2] == "is under watch at an address that is not known (mode observe)"


def test_what_a_log_says_stays_in_its_line() -> None:
    told = line(Entry(1, BEGIN, None, e.WorkFailed("rule\x1b[2J", "a\nb")), "en")
    assert told is not None
    assert not any(character in told for character in "\x1b\n")


@pytest.mark.parametrize(
    ("verdict", "words"), [(Verdict.HEALTHY, "nothing wrong is to be seen"), (Verdict.UNKNOWN, "could not tell")]
)
def test_a_diagnosis_that_names_no_cause(verdict: Verdict, words: str) -> None:
    told = tell(e.DiagnosisMade("INC-1", Diagnosis(verdict)), "en")
    assert told is not None
    assert words in told[2]
