"""Telling mailboxes: one letter a message, by SMTP, in a thread of its own for each."""

import asyncio
import contextlib
import smtplib
import socket
import ssl
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.mime.text import MIMEText
from typing import Literal

from paramedic.adapters.notifiers.letter import letter
from paramedic.model.text import Language
from paramedic.ports import Message, Receipt

STEP_S = 10.0  # for one answer of the mail server
TOTAL_S = 30.0
_LONGEST_ANSWER = 200


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where letters are handed in. `security`: TLS after STARTTLS, TLS from the start, or none."""

    host: str
    port: int
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    password: str = field(default="", repr=False)
    ca_file: str | None = None  # trusted besides the machine's own authorities


class EmailNotifier:
    """Writes from `sender` to every address of `to`. Retries carry the same Message-ID, so readers see one letter."""

    def __init__(self, name: str, server: MailServer, sender: str, to: Sequence[str], language: Language) -> None:
        self.name = name
        self._server = server
        self._sender = sender
        self._to = tuple(to)
        self._language = language

    async def deliver(self, message: Message) -> Receipt:
        """`retry` is true where the same letter may be taken later: no connection, time-out, a 4xx answer."""
        post = _Post(self._server, letter(message, self._sender, self._to, self._language))
        try:
            async with asyncio.timeout(TOTAL_S):
                return await post.handed_in()
        except TimeoutError:
            return Receipt(ok=False, detail=f"{self._server.host} took longer than {TOTAL_S:g} s")


class _Post:
    """Handing in one letter."""

    def __init__(self, server: MailServer, mail: MIMEText) -> None:
        self._server = server
        self._mail = mail
        self._where = f"{server.host}:{server.port}"

    async def handed_in(self) -> Receipt:
        """In a daemon thread: the end of Paramedic never waits for a mail server."""
        loop = asyncio.get_running_loop()
        receipt: asyncio.Future[Receipt] = loop.create_future()

        def settle(result: Receipt) -> None:
            if not receipt.done():  # nobody waits any more after a time-out
                receipt.set_result(result)

        def work() -> None:
            result = self._receipt()
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(settle, result)

        threading.Thread(target=work, name=f"mail to {self._where}", daemon=True).start()
        return await receipt

    def _receipt(self) -> Receipt:
        """Whatever the mail server does becomes a receipt; its words never hold the password."""
        try:
            return self._hand_in()
        except smtplib.SMTPAuthenticationError as error:  # its text may repeat what we sent
            return self._no(f"refused the user or the password ({error.smtp_code})", error.smtp_code)
        except smtplib.SMTPRecipientsRefused as error:
            return self._no(f"takes no letter for {_refusals(error.recipients)}", _mildest(error.recipients))
        except smtplib.SMTPResponseException as error:
            return self._no(f"answered {error.smtp_code} {self._words(error.smtp_error)}", error.smtp_code)
        except smtplib.SMTPNotSupportedError as error:
            return self._no(f"cannot do what is configured: {self._words(str(error))}; nothing was sent", 500)
        except smtplib.SMTPServerDisconnected as error:
            silent = isinstance(error.__context__, TimeoutError)  # smtplib makes the one of the other
            return self._no(f"gave no answer within {STEP_S:g} s" if silent else "closed the connection")
        except ssl.SSLCertVerificationError as error:
            why = f"shows a certificate that is not trusted ({error.verify_message})"
            return self._no(f"{why}: give its authority as ca_file", 500)
        except ssl.SSLError:
            return self._no("does not speak TLS as configured: see security and port", 500)
        except TimeoutError:
            return self._no(f"gave no answer within {STEP_S:g} s")
        except socket.gaierror:
            return self._no("has no address: is its name right?")
        except OSError as error:
            return self._no(f"could not be reached ({error.strerror or type(error).__name__})")
        except ValueError:
            return self._no("is not the name of a machine", 500)

    def _hand_in(self) -> Receipt:
        server, context = self._server, self._context()
        if server.security == "tls":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=STEP_S, context=context)
        else:
            smtp = smtplib.SMTP(server.host, server.port, timeout=STEP_S)
        try:
            if server.security == "starttls":
                smtp.starttls(context=context)
            if server.user:
                smtp.login(server.user, server.password)
            refused = smtp.send_message(self._mail)
            with contextlib.suppress(OSError):  # the letter is taken, whatever becomes of the farewell
                smtp.quit()
        finally:
            smtp.close()
        some = f", but it takes none for {_refusals(refused)}" if refused else ""
        return Receipt(ok=True, detail=f"taken by {self._where}{some}")

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self._server.ca_file:
            try:
                context.load_verify_locations(self._server.ca_file)
            except OSError as error:
                raise smtplib.SMTPNotSupportedError(f"no certificate in {self._server.ca_file}") from error
        return context

    def _no(self, what: str, code: int = 400) -> Receipt:
        """A 4xx code says that another try may help."""
        return Receipt(ok=False, detail=f"{self._where} {what}", retry=code < 500)

    def _words(self, answer: bytes | str) -> str:
        text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
        text = "".join(sign if sign.isprintable() else " " for sign in text)
        if self._server.password:
            text = text.replace(self._server.password, "***")
        return text[:_LONGEST_ANSWER].strip()


def _refusals(refused: Mapping[str, tuple[int, bytes]]) -> str:
    return ", ".join(f"{address} ({code})" for address, (code, _) in refused.items())


def _mildest(refused: Mapping[str, tuple[int, bytes]]) -> int:
    return min((code for code, _ in refused.values()), default=500)
