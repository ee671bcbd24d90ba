"""A real mail server on a free port of this machine, in a thread of its own, that keeps what it takes."""

import asyncio
import shutil
import ssl
import subprocess
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, TypeVar

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

T = TypeVar("T")
USER, PASSWORD = "paramedic@mail.test", "a-password-of-the-mail-server"


@dataclass
class Mailboxes:
    """What the mail server took, and how it answers. `answers`: to RCPT by address, to DATA by ""; else 250."""

    port: int = 0
    taken: list[EmailMessage] = field(default_factory=list)
    sent_to: list[list[str]] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    logins: list[tuple[str, str]] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 (aiosmtpd's name)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self.answers.get(address, "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = self.answers.get("", "250 OK")
        if answer.startswith("250"):
            content = envelope.content
            assert isinstance(content, bytes)
            mail = message_from_bytes(content, policy=default)
            assert isinstance(mail, EmailMessage)
            self.taken.append(mail)
            self.sent_to.append(list(envelope.rcpt_tos))
        return answer

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=self.logins[-1] == (USER, PASSWORD), handled=False)


def certificate(folder: Path) -> tuple[Path, Path]:
    """(certificate, key) of 127.0.0.1, signed by itself."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed: no certificate can be made")
    chain, key = folder / "mail.pem", folder / "mail.key"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=mail.test"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "keyUsage=digitalSignature,keyCertSign"]
    subprocess.run([*command, "-out", str(chain), "-keyout", str(key)], check=True, capture_output=True, timeout=60)
    return chain, key


@contextmanager
def mail_server(
    *, login: bool = False, tls: str = "none", files: tuple[Path, Path] | None = None
) -> Iterator[Mailboxes]:
    """`tls` as in the configuration: none, starttls, tls; with `files` (certificate, key)."""
    boxes = Mailboxes()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if files:
        context.load_cert_chain(*files)
    loop = asyncio.new_event_loop()

    def protocol() -> SMTP:
        return SMTP(
            boxes,
            hostname="mail.test",
            loop=loop,
            tls_context=context if tls == "starttls" else None,
            require_starttls=tls == "starttls",
            authenticator=boxes.authenticate if login else None,
            auth_required=login and tls == "starttls",  # aiosmtpd does not see the TLS around it
            auth_require_tls=tls == "starttls",
        )

    thread = threading.Thread(target=loop.run_forever, name="mail server")
    thread.start()

    def there(work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, loop).result(30)

    server = there(loop.create_server(protocol, "127.0.0.1", 0, ssl=context if tls == "tls" else None))
    boxes.port = server.sockets[0].getsockname()[1]
    try:
        yield boxes
    finally:
        there(_end(server))
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()


async def _end(server: asyncio.Server) -> None:
    server.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
