"""The engine's own small traffic: a few streams over real HTTP, so that a newcomer sees tokens move."""

import asyncio
import itertools
import json
from contextlib import suppress

from paramedic.practice.settings import Settings

INTERVAL_SECONDS = 0.5  # between two requests
PATIENCE_SECONDS = 30.0  # a client hangs up after that
MOST_AT_ONCE = 6

_QUESTIONS = (
    "What does a KV cache hold, and why does it grow with every token?",
    "Explain continuous batching to a new colleague in three sentences.",
    "Why can the first token be slow while the others are fast?",
    "Name two reasons for a request to wait before it runs.",
    "How would you notice that an engine stands still although it answers?",
)


class Traffic:
    """A steady trickle of clients; it never has more than a few requests open, whatever the server does."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._open: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Send requests until cancelled; then the open ones are hung up."""
        try:
            for number in itertools.count():
                if len(self._open) < MOST_AT_ONCE:
                    task = asyncio.create_task(self._client(number))
                    self._open.add(task)
                    task.add_done_callback(self._open.discard)
                await asyncio.sleep(INTERVAL_SECONDS)
        finally:
            for task in self._open:
                task.cancel()

    async def _client(self, number: int) -> None:
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._stream(_QUESTIONS[number % len(_QUESTIONS)], 16 + 8 * (number % 5))

    async def _stream(self, question: str, max_tokens: int) -> None:
        asked = {
            "model": self.settings.served_model_name,
            "prompt": question,
            "max_tokens": max_tokens,
            "ignore_eos": True,
            "stream": True,
        }
        body = json.dumps(asked).encode()
        head = (
            f"POST /v1/completions HTTP/1.1\r\nHost: {self.settings.host}:{self.settings.port}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        reader, writer = await asyncio.open_connection(self.settings.host, self.settings.port)
        try:
            writer.write(head.encode() + body)
            while await reader.read(1 << 16):
                pass
        finally:
            writer.close()
