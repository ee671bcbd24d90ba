"""The letter: one incident is one thread, and what stands in it cannot do more than be read."""

from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest

from paramedic.adapters.notifiers.letter import letter
from paramedic.journal.plain import to_plain
from paramedic.model.text import Language
from paramedic.ports import Message
from tests.fakes.night import CORE_DIED, INCIDENT, QWEN

SUMMARY = {"en": "its engine is dead", "zh": "引擎已死"}
FACTS: dict[str, Any] = {
    "alerts": [{"summary": SUMMARY}],
    "diagnosis": to_plain(CORE_DIED),
    "opened_at": 1_795_489_900_000_000_000,
}
OPENED = Message("DLV-0001", INCIDENT, QWEN.name, "opened", "P0", f"[P0] {QWEN.name} {INCIDENT}", "It died.", FACTS)


def write(message: Message = OPENED, language: Language = "en", **changes: Any) -> EmailMessage:
    """The letter as a reader's program reads it."""
    written = letter(replace(message, **changes), "paramedic@example.com", ["duty@example.com"], language)
    read = message_from_bytes(written.as_bytes(), policy=default)
    assert isinstance(read, EmailMessage)
    return read


def test_the_letters_of_an_incident_are_one_thread() -> None:
    first = write()
    later = write(delivery="DLV-0003", occasion="resolved")
    assert later["In-Reply-To"] == later["References"] == first["Message-ID"]
    assert later["Message-ID"] != first["Message-ID"]
    assert later["Subject"] == f"Re: {first['Subject']}"
    assert first["References"] is None


def test_a_retry_is_the_same_letter() -> None:
    assert write()["Message-ID"] == write()["Message-ID"]


@pytest.mark.parametrize(
    "changes", [{"incident": "INC-2026-0002"}, {"target": "other"}, {"facts": {**FACTS, "opened_at": 1}}]
)
def test_other_incidents_also_of_other_installations_are_other_threads(changes: dict[str, Any]) -> None:
    assert write(**changes)["Message-ID"] != write()["Message-ID"]


@pytest.mark.parametrize(
    ("language", "subject", "told"),
    [
        ("en", "its engine is dead", ["EngineCore was killed (SIGKILL) (confidence 95%)", "EVIDENCE", "WHAT TO DO"]),
        ("zh", "引擎已死", ["EngineCore 被杀（SIGKILL）（置信度 95%）", "证据", "处置建议"]),
    ],
)
def test_what_a_person_needs_is_in_it(language: Language, subject: str, told: list[str]) -> None:
    mail = write(language=language)
    assert mail["Subject"] == f"[P0] {QWEN.name} {INCIDENT}: {subject}"
    body = mail.get_content()
    evidence = CORE_DIED.findings[0].evidence
    for words in (*told, f"paramedic explain {INCIDENT}", "It died.", *(one.text for one in evidence)):
        assert words in body


def test_odd_words_add_no_header_and_steer_no_screen() -> None:
    mail = write(
        delivery="D\r\nBcc: x@y.z",
        target="t\r\nBcc: x@y.z",
        level="P0\n",
        title="死\r\nBcc: x@y.z\x1b[2J",
        body="one\x1b[2J\x00\r\ntwo",
        facts={"alerts": [{"summary": {"en": "a\r\nBcc: x@y.z"}}]},
    )
    assert mail["Bcc"] is None
    assert mail["Subject"] == "死  Bcc: x@y.z [2J: a  Bcc: x@y.z"
    assert mail.get_content().splitlines()[:2] == ["one [2J", "two"]


@pytest.mark.parametrize(
    "facts",
    [{}, {"alerts": None, "diagnosis": None}, {"alerts": [1], "diagnosis": {"findings": [{}]}, "opened_at": "x"}],
)
def test_facts_that_are_not_there(facts: dict[str, Any]) -> None:
    mail = write(facts=facts, title="", body="")
    assert mail["Subject"] == "Paramedic"
    assert f"paramedic explain {INCIDENT}" in mail.get_content()


def test_a_long_subject_is_cut() -> None:
    assert len(write(title="word " * 500)["Subject"]) == 200
    assert len(write(title="引擎已死" * 500)["Subject"]) == 200
