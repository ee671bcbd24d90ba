"""`/v1/embeddings` of a server that makes vectors instead of text: a prompt is read, nothing is generated."""

import math
import secrets
import time
import zlib
from dataclasses import dataclass, field
from typing import Any

from paramedic.practice import openai

DIMENSIONS = 64


@dataclass(frozen=True, slots=True)
class EmbeddingAsk:
    """A valid request for vectors: of each input its tokens and the seed of its vector."""

    model: str
    inputs: tuple[tuple[int, int], ...]
    id: str = field(default_factory=lambda: f"embd-{secrets.token_hex(8)}")

    @property
    def tokens(self) -> int:
        return sum(tokens for tokens, _ in self.inputs)

    def answer(self) -> dict[str, Any]:
        """The whole answer."""
        data = [
            {"index": index, "object": "embedding", "embedding": vector(seed)}
            for index, (_, seed) in enumerate(self.inputs)
        ]
        usage = {
            "prompt_tokens": self.tokens,
            "total_tokens": self.tokens,
            "completion_tokens": 0,
            "prompt_tokens_details": None,
        }
        return {
            "id": self.id,
            "object": "list",
            "created": int(time.time()),
            "model": self.model,
            "data": data,
            "usage": usage,
        }


def read_request(body: bytes, *, served: str, max_model_len: int) -> EmbeddingAsk:
    """Judge the body of a request; every refusal is a RequestRefusedError."""
    asked = openai.read_document(body, served)
    given = asked.get("input")
    one = not isinstance(given, list) or all(isinstance(part, int) for part in given)
    inputs = tuple(_input(part) for part in ([given] if one else given or ()))
    for tokens, _ in inputs:
        openai.judge_length(tokens, max_model_len)
    return EmbeddingAsk(served, inputs)


def vector(seed: int) -> list[float]:
    """The vector of an input, of length one: the same input always has the same."""
    raw = [math.sin(seed % 9973 + 37.0 * dimension) for dimension in range(DIMENSIONS)]
    length = math.sqrt(sum(value * value for value in raw))
    return [round(value / length, 6) for value in raw]


def _input(part: object) -> tuple[int, int]:
    if isinstance(part, str) and part:
        return openai.count_tokens(part), zlib.crc32(part.encode())
    if isinstance(part, list) and part and all(isinstance(token, int) for token in part):
        return len(part), zlib.crc32(repr(part).encode())
    raise openai.RequestRefusedError("1 validation error: input should be text or tokens", "input", kind="Bad Request")
