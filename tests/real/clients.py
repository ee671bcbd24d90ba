"""Clients of an engine: streams that go on for as long as they are wanted."""

import asyncio
import contextlib
import time
from types import TracebackType

import aiohttp

FOR_EVER = aiohttp.ClientTimeout(total=None, sock_connect=10)


class Clients:
    """So many clients at once, each asking again when its stream is over. Counts what they get.

    An error makes a client wait a little and try again, as a person's program would. With `patience` each hangs up
    after so many seconds, and asks again.
    """

    def __init__(
        self,
        url: str,
        count: int,
        max_tokens: int = 30_000,
        prompt: str = "read the log",
        patience: float | None = None,
    ) -> None:
        self.tokens = 0  # chunks that bore text, over all clients
        self.errors = 0
        self.finished = 0
        self._url = f"{url}/v1/completions"
        self._count = count
        self._patience = patience
        self._ask = {"model": "tiny", "prompt": prompt, "max_tokens": max_tokens, "ignore_eos": True, "stream": True}
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "Clients":
        connector = aiohttp.TCPConnector(limit=0)
        self._session = aiohttp.ClientSession(connector=connector, timeout=FOR_EVER, read_bufsize=2**20)
        self._tasks = [asyncio.create_task(self._client()) for _ in range(self._count)]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._session.close()

    async def flowing(self, more: int = 20, within: float = 60.0) -> None:
        """Wait until so many more tokens have come."""
        wanted = self.tokens + more
        deadline = time.monotonic() + within
        while self.tokens < wanted:
            assert time.monotonic() < deadline, f"no {more} tokens within {within:.0f} s ({self.errors} errors)"
            await asyncio.sleep(0.05)

    async def _client(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._patience):
                    await self._stream()
            except (aiohttp.ClientError, TimeoutError):
                self.errors += 1
                await asyncio.sleep(0.5)

    async def _stream(self) -> None:
        async with self._session.post(self._url, json=self._ask) as answer:
            answer.raise_for_status()
            async for line in answer.content:
                if line.startswith(b'data: {"error"'):
                    raise aiohttp.ClientPayloadError("the engine broke the stream off")
                if line.startswith(b"data: {"):
                    self.tokens += 1
            self.finished += 1


async def first_token(url: str, within: float = 30.0) -> float:
    """Ask for one token until one comes; the epoch seconds of that."""
    ask = {"model": "tiny", "prompt": "go", "max_tokens": 1}
    deadline = time.monotonic() + within
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=within)) as session:
        while time.monotonic() < deadline:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with session.post(f"{url}/v1/completions", json=ask) as answer:
                    if answer.status == 200:
                        await answer.read()
                        return time.time()
            await asyncio.sleep(0.05)
    raise AssertionError(f"no token from {url} within {within:.0f} s")


async def post(url: str) -> int:
    """The status of an empty POST."""
    async with aiohttp.ClientSession() as session, session.post(url) as answer:
        return answer.status
