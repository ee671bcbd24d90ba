"""Telling a program: one signed HTTP POST a message."""

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

import aiohttp

from paramedic.ports import Message, Receipt

VERSION = 1
TIMEOUT_S = 10.0
LONGEST_WAIT_S = 60
TRY_AGAIN = (408, 425, 429)


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """What `X-Paramedic-Signature` holds: HMAC-SHA256 over the time, a dot and the body."""
    signed = timestamp.encode() + b"." + body
    return "sha256=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


class WebhookNotifier:
    """Posts JSON to `url`, signed with `secret`. The whole URL may be a secret, so details name its host at most."""

    def __init__(self, name: str, url: str, secret: str, *, clock: Callable[[], float] = time.time) -> None:
        self.name = name
        self._url = url
        self._secret = secret
        self._clock = clock
        self._host = _host_of(url)

    async def deliver(self, message: Message) -> Receipt:
        """`retry` is true where the same message may be taken later: no connection, time-out, 408, 425, 429, 5xx."""
        body = json.dumps(payload(message), ensure_ascii=False, default=str).encode()
        stamp = str(int(self._clock()))
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Paramedic",
            "X-Paramedic-Delivery": _header(message.delivery),
            "X-Paramedic-Timestamp": stamp,
            "X-Paramedic-Signature": signature(self._secret, stamp, body),
        }
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S)) as session,
                session.post(self._url, data=body, headers=headers, allow_redirects=False) as response,
            ):
                return self._receipt(response.status, response.headers)
        except TimeoutError:
            return Receipt(ok=False, detail=f"{self._host} gave no answer within {TIMEOUT_S:g} s")
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError, ValueError):
            return Receipt(ok=False, detail="the webhook's URL is not valid", retry=False)
        except (aiohttp.ClientError, OSError) as problem:
            return Receipt(ok=False, detail=f"{self._host} could not be reached ({type(problem).__name__})")

    def _receipt(self, status: int, headers: Mapping[str, str]) -> Receipt:
        detail = f"HTTP {status} from {self._host}"
        if 200 <= status < 300:
            return Receipt(ok=True, detail=detail)
        if 300 <= status < 400:
            return Receipt(ok=False, detail=f"{detail}: redirects are not followed; use the final URL", retry=False)
        retry = status in TRY_AGAIN or status >= 500
        wait = headers.get("Retry-After", "")
        if retry and wait.isascii() and wait.isdigit():
            detail += f", try again after {min(int(wait), LONGEST_WAIT_S)} s"
        return Receipt(ok=False, detail=detail, retry=retry)


def payload(message: Message) -> dict[str, object]:
    """The JSON of a message; a fact never hides one of the fields that every message has."""
    return {
        **message.facts,
        "version": VERSION,
        "delivery": message.delivery,
        "incident": message.incident,
        "target": message.target,
        "occasion": message.occasion,
        "level": message.level,
        "title": message.title,
        "body": message.body,
    }


def _header(text: str) -> str:
    return "".join(sign for sign in text if sign.isascii() and sign.isprintable())


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or "the webhook"
    except ValueError:
        return "the webhook"
