"""Asking an engine over HTTP: its metrics, its health, one token."""

import asyncio
import errno
from collections.abc import Callable
from typing import Any

import aiohttp

from paramedic.adapters.canary import CALLS, PAUSED_QUESTIONS, Call, base_model, json_object, judge, means_not_this_call
from paramedic.model.target import Target
from paramedic.ports import Canary, Reply

BODY_LIMIT = 16 * 1024 * 1024
METRICS_TIMEOUT_S = 10.0
HEALTH_TIMEOUT_S = 5.0
QUESTION_TIMEOUT_S = 1.0  # for what a hung engine may leave unanswered beside the canary itself

KeyOf = Callable[[Target], str | None]


class HttpProbe:
    """One session for all targets. `key_of` gives a target's API key where one is configured.

    Every question has its own connection: it meets the door as a client does, and no idle one that the server is
    just closing is mistaken for a dead server. Redirects are not followed. Keys and prompts reach no error text.
    """

    def __init__(self, key_of: KeyOf) -> None:
        self._key_of = key_of
        self._session: aiohttp.ClientSession | None = None
        self._call_of: dict[tuple[str, str], Call] = {}  # (url, model) -> the call that this model answers

    async def metrics(self, target: Target) -> Reply:
        return await self._ask(target, "/metrics", METRICS_TIMEOUT_S)

    async def health(self, target: Target) -> Reply:
        return await self._ask(target, "/health", HEALTH_TIMEOUT_S)

    async def canary(self, target: Target, timeout_s: float) -> Canary:
        """One token, embedding or rank, whichever the model gives; at most `timeout_s` seconds for all questions."""
        started = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(timeout_s):
                return await self._canary(target, timeout_s)
        except TimeoutError:
            waited = asyncio.get_running_loop().time() - started
            return Canary("timeout", waited, f"no answer within {timeout_s:g} s")

    async def identify(self, url: str) -> tuple[str, str] | None:
        """(version, served model name) of the vLLM that answers there; the name is "" where a key is needed for it."""
        target = Target(name="", url=url.rstrip("/"))
        told, models = await asyncio.gather(
            self._ask(target, "/version", HEALTH_TIMEOUT_S), self._ask(target, "/v1/models", HEALTH_TIMEOUT_S)
        )
        version = _json_of(told).get("version")
        if not isinstance(version, str) or not version:
            return None
        if models.status == 401 and "error" in json_object(models.body):
            return version, ""
        served = base_model(_json_of(models))
        return None if served is None else (version, served)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _canary(self, target: Target, timeout_s: float) -> Canary:
        short = min(QUESTION_TIMEOUT_S, timeout_s / 4)
        *asleep, models = await asyncio.gather(
            *(self._ask(target, path, short) for path, _ in PAUSED_QUESTIONS),
            self._ask(target, "/v1/models", timeout_s),
        )
        for (path, field), reply in zip(PAUSED_QUESTIONS, asleep, strict=True):
            if _json_of(reply).get(field) is True:
                return Canary("paused", reply.seconds, f"{path} says so")
        if not models.ok and (models.error or models.status in (401, 403)):
            return judge(None, models, "/v1/models")
        served = base_model(_json_of(models), wanted=target.model)
        model = served or target.model
        if not model:
            return Canary("error", models.seconds, "/v1/models names no model")
        return await self._generate(target, model, timeout_s)

    async def _generate(self, target: Target, model: str, timeout_s: float) -> Canary:
        known = self._call_of.get((target.url, model))
        calls = sorted(CALLS, key=lambda call: call is not known)  # the known one first; the sort is stable
        first: Canary | None = None
        for call in calls:
            reply = await self._ask(target, call.path, timeout_s, call.body(model))
            answer = judge(call, reply, call.path)
            if not means_not_this_call(reply):
                if answer.result == "token":
                    self._call_of[target.url, model] = call
                return answer
            first = first or answer
        return first or Canary("error", 0.0, "no call is known")

    async def _ask(self, target: Target, path: str, timeout_s: float, body: dict[str, Any] | None = None) -> Reply:
        """GET, or POST when there is a body. Never raises for what the other side or the network may do."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        status, answer, error = None, b"", ""
        try:
            key = self._key_of(target)
            headers = {"Authorization": f"Bearer {key.strip()}"} if key else {}
            async with (
                asyncio.timeout(timeout_s),
                self._open().request(
                    "GET" if body is None else "POST",
                    target.url + path,
                    json=body,
                    headers=headers,
                    allow_redirects=False,
                ) as response,
            ):
                answer = await _read(response)
                status = response.status
        except _TooLargeError:
            error = f"answer of more than {BODY_LIMIT // 1024 // 1024} MB"
        except (aiohttp.ClientError, OSError, ValueError) as problem:  # a TimeoutError is an OSError
            error = _name_of(problem)
        return Reply(status, error, answer, loop.time() - started)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=64, force_close=True),
                timeout=aiohttp.ClientTimeout(total=None),
                headers={"Accept-Encoding": "identity"},
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session


class _TooLargeError(Exception):
    """The answer has no end that we want to see."""


async def _read(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for block in response.content.iter_any():
        body += block
        if len(body) > BODY_LIMIT:
            raise _TooLargeError
    return bytes(body)


def _name_of(problem: Exception) -> str:
    """A short name of what went wrong; never the problem's own text, which may hold the URL or a header."""
    if isinstance(problem, TimeoutError):
        return "timeout"
    if isinstance(problem, aiohttp.ClientConnectorDNSError):
        return "the host name is unknown"
    if isinstance(problem, aiohttp.ClientSSLError):
        return "TLS failed"
    if isinstance(problem, OSError):
        return _name_of_errno(problem.errno)
    if isinstance(problem, (aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError)):
        return "reset"
    if isinstance(problem, aiohttp.InvalidURL):
        return "the URL is not valid"
    return "the answer is no HTTP" if isinstance(problem, aiohttp.ClientResponseError) else "could not be asked"


def _name_of_errno(number: int | None) -> str:
    if number == errno.ECONNREFUSED:
        return "refused"
    if number in (errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED):
        return "reset"
    if number in (errno.EHOSTUNREACH, errno.ENETUNREACH):
        return "unreachable"
    return errno.errorcode.get(number or 0, "connection failed")


def _json_of(reply: Reply) -> dict[str, Any]:
    return json_object(reply.body) if reply.ok else {}
