"""E-mail over a real mail server: what is taken, what is tried again, and that the password stays where it is."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from paramedic.adapters.notifiers import email
from paramedic.adapters.notifiers.email import EmailNotifier, MailServer
from paramedic.ports import Message, Receipt
from tests.integration.mail_server import PASSWORD, USER, certificate, mail_server
from tests.integration.pretend import free_port

MESSAGE = Message(
    "DLV-0001",
    "INC-2026-0042",
    "qwen@127.0.0.1:8000",
    "opened",
    "P0",
    "[P0] qwen@127.0.0.1:8000 INC-2026-0042",
    "引擎已死。",
    {"alerts": [{"summary": {"en": "the engine is dead", "zh": "引擎已死"}}], "opened_at": 1_795_489_900_000_000_000},
)
TO = ("duty@mail.test", "lead@mail.test")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certificate(tmp_path_factory.mktemp("certificate"))


async def deliver(server: MailServer, message: Message = MESSAGE, to: tuple[str, ...] = TO) -> Receipt:
    return await EmailNotifier("duty", server, "paramedic@mail.test", to, "zh").deliver(message)


def local(port: int) -> MailServer:
    return MailServer("127.0.0.1", port, "none")


async def test_a_letter_arrives_as_it_was_written() -> None:
    with mail_server() as boxes:
        receipt = await deliver(local(boxes.port))
    assert (receipt.ok, receipt.detail) == (True, f"taken by 127.0.0.1:{boxes.port}")
    [mail] = boxes.taken
    assert mail["Subject"] == "[P0] qwen@127.0.0.1:8000 INC-2026-0042: 引擎已死"
    assert mail["To"] == "duty@mail.test, lead@mail.test"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content().splitlines()[0] == "引擎已死。"
    assert boxes.sent_to == [list(TO)]


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_with_tls_and_a_login(files: tuple[Path, Path], security: str) -> None:
    with mail_server(login=True, tls=security, files=files) as boxes:
        server = MailServer("127.0.0.1", boxes.port, security, USER, PASSWORD, str(files[0]))  # type: ignore[arg-type]
        receipt = await deliver(server)
    assert receipt.ok, receipt.detail
    assert boxes.logins == [(USER, PASSWORD)]
    assert len(boxes.taken) == 1
    assert PASSWORD not in repr(server) + receipt.detail


async def test_a_wrong_password_is_not_tried_again_and_not_told(files: tuple[Path, Path]) -> None:
    with mail_server(login=True, tls="starttls", files=files) as boxes:
        server = MailServer("127.0.0.1", boxes.port, "starttls", USER, "hunter2", str(files[0]))
        receipt = await deliver(server)
    assert (receipt.ok, receipt.retry) == (False, False)
    assert receipt.detail == f"127.0.0.1:{boxes.port} refused the user or the password (535)"
    assert boxes.taken == []


async def test_a_certificate_of_somebody_else_gets_no_letter_and_no_password(files: tuple[Path, Path]) -> None:
    with mail_server(login=True, tls="starttls", files=files) as boxes:
        receipt = await deliver(MailServer("127.0.0.1", boxes.port, "starttls", USER, PASSWORD))
    assert (receipt.ok, receipt.retry) == (False, False)
    assert "certificate that is not trusted" in receipt.detail
    assert "give its authority as ca_file" in receipt.detail
    assert (boxes.logins, boxes.taken) == ([], [])


async def test_a_server_without_starttls_gets_no_letter_in_the_clear() -> None:
    with mail_server() as boxes:
        receipt = await deliver(MailServer("127.0.0.1", boxes.port, "starttls"))
    assert (receipt.ok, receipt.retry) == (False, False)
    assert "cannot do what is configured: STARTTLS" in receipt.detail
    assert boxes.taken == []


async def test_tls_where_none_is_spoken(tmp_path: Path) -> None:
    with mail_server() as boxes:
        receipt = await deliver(MailServer("127.0.0.1", boxes.port, "tls"))
    assert (receipt.ok, receipt.retry) == (False, False)
    assert "does not speak TLS as configured" in receipt.detail
    (tmp_path / "ca.pem").write_text("no certificate")
    receipt = await deliver(MailServer("127.0.0.1", 1, "tls", ca_file=str(tmp_path / "ca.pem")))
    assert f"no certificate in {tmp_path}/ca.pem" in receipt.detail


@pytest.mark.parametrize(
    ("answers", "ok", "retry", "told"),
    [
        ({"": "451 try later"}, False, True, "answered 451 try later"),
        ({"": "554 5.7.1 looks like spam"}, False, False, "answered 554 5.7.1 looks like spam"),
        ({TO[0]: "450 greylisted", TO[1]: "550 no such user"}, False, True, f"{TO[0]} (450), {TO[1]} (550)"),
        ({TO[0]: "550 no", TO[1]: "550 no"}, False, False, "takes no letter for"),
        ({TO[1]: "550 no such user"}, True, None, f"but it takes none for {TO[1]} (550)"),
    ],
)
async def test_the_answer_decides_about_another_try(
    answers: dict[str, str], ok: bool, retry: bool | None, told: str
) -> None:
    with mail_server() as boxes:
        boxes.answers = answers
        receipt = await deliver(local(boxes.port))
    assert receipt.ok is ok
    assert retry in (None, receipt.retry)
    assert told in receipt.detail
    assert len(boxes.taken) == ok


async def test_a_password_that_the_server_repeats_is_not_told() -> None:
    with mail_server() as boxes:
        boxes.answers = {"": f"554 I do not like {PASSWORD}\x1b[2J"}
        post = email._Post(replace(local(boxes.port), password=PASSWORD), email.letter(MESSAGE, "a@b.c", TO, "en"))
        receipt = await post.handed_in()
    assert "I do not like ***" in receipt.detail
    assert "\x1b" not in receipt.detail


async def test_nobody_is_there() -> None:
    receipt = await deliver(local(free_port()))
    assert (receipt.ok, receipt.retry) == (False, True)
    assert "could not be reached (Connection refused)" in receipt.detail


@contextmanager
def mute() -> Iterator[int]:
    """Something that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


async def test_one_that_says_nothing_is_given_up_and_keeps_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(email, "STEP_S", 0.2)
    with mute() as port:
        receipt = await deliver(local(port))
    assert (receipt.ok, receipt.retry) == (False, True)
    assert "gave no answer within 0.2 s" in receipt.detail


async def test_the_whole_is_bounded_and_its_thread_does_not_hold_us(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(email, "TOTAL_S", 0.1)
    monkeypatch.setattr(email, "STEP_S", 1.0)
    with mute() as port:
        receipt = await deliver(local(port))
        assert (receipt.ok, receipt.retry) == (False, True)
        assert "took longer than 0.1 s" in receipt.detail
        left = [thread for thread in threading.enumerate() if thread.name == f"mail to 127.0.0.1:{port}"]
        assert all(thread.daemon for thread in left)
        for thread in left:
            await asyncio.to_thread(thread.join, 30)


async def test_a_name_without_an_address() -> None:
    receipt = await deliver(MailServer("no-such-host.invalid", 25, "none"))
    assert (receipt.ok, receipt.retry) == (False, True)
    assert receipt.detail.startswith("no-such-host.invalid:25 has no address")
