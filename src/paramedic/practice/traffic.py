"""The clients of a practice engine, over real HTTP: a small traffic of its own, and the crowds that a fault sends."""

import asyncio
import itertools
import json
from contextlib import suppress
from dataclasses import dataclass

from paramedic.practice.settings import Settings

INTERVAL_SECONDS = 0.5  # between two requests
PATIENCE_SECONDS = 30.0  # a client hangs up after that
MOST_AT_ONCE = 6
PAUSE_SECONDS = 0.2  # between two requests of one client of a crowd

_QUESTIONS = (
    "What does a KV cache hold, and why does it grow with every token?",
    "Explain continuous batching to a new colleague in three sentences.",
    "Why can the first token be slow while the others are fast?",
    "Name two reasons for a request to wait before it runs.",
    "How would you notice that an engine stands still although it answers?",
)


@dataclass(frozen=True, slots=True)
class Crowd:
    """Clients that ask again and again. They hang up after `hang_up_after` seconds, where it is given."""

    clients: int
    prompt_tokens: int
    max_tokens: int
    hang_up_after: float | None = None


class Traffic:
    """A steady trickle of clients that never has more than a few requests open; and crowds, while they are there."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._open: set[asyncio.Task[None]] = set()
        self._crowds: dict[str, list[asyncio.Task[None]]] = {}

    async def run(self) -> None:
        """Send requests until cancelled."""
        for number in itertools.count():
            if len(self._open) < MOST_AT_ONCE:
                question, words = _QUESTIONS[number % len(_QUESTIONS)], 16 + 8 * (number % 5)
                task = asyncio.create_task(self._client(question, words, PATIENCE_SECONDS))
                self._open.add(task)
                task.add_done_callback(self._open.discard)
            await asyncio.sleep(INTERVAL_SECONDS)

    def send(self, name: str, crowd: Crowd) -> None:
        """Let a crowd come; one of that name stays as it is."""
        if name not in self._crowds:
            clients = range(crowd.clients)
            self._crowds[name] = [asyncio.create_task(self._ask_again_and_again(crowd, n)) for n in clients]

    def send_away(self, name: str) -> bool:
        """Its clients hang up; whether it was there."""
        clients = self._crowds.pop(name, [])
        for client in clients:
            client.cancel()
        return bool(clients)

    def is_there(self, name: str) -> bool:
        return name in self._crowds

    def close(self) -> None:
        """Everybody hangs up."""
        for name in list(self._crowds):
            self.send_away(name)
        for task in self._open:
            task.cancel()

    async def _ask_again_and_again(self, crowd: Crowd, number: int) -> None:
        for turn in itertools.count():
            prompt = " ".join([f"{number}", f"{turn}", *(["word"] * (crowd.prompt_tokens - 2))])
            await self._client(prompt, crowd.max_tokens, crowd.hang_up_after)
            await asyncio.sleep(PAUSE_SECONDS)

    async def _client(self, prompt: str, max_tokens: int, patience: float | None) -> None:
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(patience):
                await self._stream(prompt, max_tokens)

    async def _stream(self, prompt: str, max_tokens: int) -> None:
        asked: dict[str, object] = {"model": self.settings.served_model_name}
        if self.settings.pooling:
            path, asked = "/v1/embeddings", asked | {"input": prompt}
        else:
            path = "/v1/completions"
            asked |= {"prompt": prompt, "max_tokens": max_tokens, "ignore_eos": True, "stream": True}
        body = json.dumps(asked).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {self.settings.host}:{self.settings.port}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        reader, writer = await asyncio.open_connection(self.settings.host, self.settings.port)
        try:
            writer.write(head.encode() + body)
            while await reader.read(1 << 16):
                pass
        finally:
            writer.close()
