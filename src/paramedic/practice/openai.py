"""The OpenAI API's shapes as vLLM 0.32 writes them: requests read and judged, answers, chunks and errors."""

import json
import re
import secrets
import time
import zlib
from dataclasses import dataclass, field
from typing import Any

from paramedic.practice.settings import VERSION

FINGERPRINT = f"vllm-{VERSION}-practice"
DEAD = "EngineCore encountered an issue. See stack trace (above) for the root cause."
_TOKEN = re.compile(r"\w+|[^\w\s]")
_TEMPLATE_TOKENS = 4  # what a chat template adds around a message


class RequestRefusedError(Exception):
    """A request that the server refuses; the body and the status are vLLM's."""

    def __init__(self, message: str, parameter: str | None = None, status: int = 400, kind: str = "BadRequestError"):
        super().__init__(message)
        self.status = status
        self.body = {"error": {"message": message, "type": kind, "param": parameter, "code": status}}


@dataclass(frozen=True, slots=True)
class Ask:
    """A valid request for text."""

    chat: bool
    model: str
    prompt_tokens: int
    max_tokens: int
    stop_after: int
    seed: int
    stream: bool
    usage_chunk: bool
    created: int = field(default_factory=lambda: int(time.time()))
    token: str = field(default_factory=lambda: secrets.token_hex(8))

    @property
    def id(self) -> str:
        return f"{'chatcmpl' if self.chat else 'cmpl'}-{self.token}"

    @property
    def engine_request(self) -> dict[str, Any]:
        return {"id": self.id, "stop_after": self.stop_after, "seed": self.seed}

    def usage(self, generated: int) -> dict[str, int]:
        total = self.prompt_tokens + generated
        return {"prompt_tokens": self.prompt_tokens, "total_tokens": total, "completion_tokens": generated}


def read_document(body: bytes, served: str) -> dict[str, Any]:
    """The fields of a request for this model; raises RequestRefusedError."""
    try:
        asked: Any = json.loads(body)
    except ValueError as error:
        raise RequestRefusedError(
            f"1 validation error: JSON decode error: {error}", "body", kind="Bad Request"
        ) from error
    if not isinstance(asked, dict):
        raise RequestRefusedError("1 validation error: Input should be a valid dictionary", "body", kind="Bad Request")
    model = asked.get("model") or served
    if model != served:
        message = f"The model `{model}` does not exist. Valid aliases: {served}."
        raise RequestRefusedError(message, "model", 404, "NotFoundError")
    return asked


def judge_length(tokens: int, max_model_len: int) -> None:
    """Raises RequestRefusedError for a prompt that is too long for the model."""
    if tokens > max_model_len:
        raise RequestRefusedError(
            f"This model's maximum context length is {max_model_len} tokens. However, your prompt contains at least "
            f"{tokens} input tokens, which exceeds this limit even without any output tokens. "
            f"Please reduce the length of the input prompt. (parameter=input_tokens, value={tokens})",
            "input_tokens",
        )


def count_tokens(text: str) -> int:
    """How many tokens a text has: words and signs."""
    return max(1, len(_TOKEN.findall(text)))


def read_request(body: bytes, *, chat: bool, served: str, max_model_len: int) -> Ask:
    """Judge the body of a completion request; every refusal is a RequestRefusedError."""
    asked = read_document(body, served)
    prompt, tokens = _chat_prompt(asked) if chat else _completion_prompt(asked)
    judge_length(tokens, max_model_len)
    limit = _whole(asked, "max_completion_tokens" if "max_completion_tokens" in asked else "max_tokens")
    if limit is None:
        limit = max_model_len - tokens if chat else 16
    if limit > max_model_len:
        raise RequestRefusedError(
            f"max_tokens={limit} cannot be greater than max_model_len={max_model_len}. "
            f"Please request fewer output tokens. (parameter=max_tokens, value={limit})",
            "max_tokens",
        )
    options = asked.get("stream_options")
    return Ask(
        chat=chat,
        model=served,
        prompt_tokens=tokens,
        max_tokens=max(1, min(limit, max_model_len - tokens)),
        stop_after=0 if asked.get("ignore_eos") else 24 + zlib.crc32(prompt.encode()) % 200,
        seed=zlib.crc32(prompt.encode()) + (_whole(asked, "seed", least=0) or 0),
        stream=bool(asked.get("stream")),
        usage_chunk=isinstance(options, dict) and bool(options.get("include_usage")),
    )


def _completion_prompt(asked: dict[str, Any]) -> tuple[str, int]:
    prompt = asked.get("prompt")
    if isinstance(prompt, list) and prompt and all(isinstance(token, int) for token in prompt):
        return " ".join(map(str, prompt)), len(prompt)
    if isinstance(prompt, list) and len(prompt) == 1:
        prompt = prompt[0]
    if not isinstance(prompt, str) or not prompt:
        message = "Either prompt or prompt_embeds must be provided and non-empty. (parameter=prompt)"
        raise RequestRefusedError(message, "prompt")
    return prompt, count_tokens(prompt)


def _chat_prompt(asked: dict[str, Any]) -> tuple[str, int]:
    messages = asked.get("messages")
    if not isinstance(messages, list) or not messages:
        raise RequestRefusedError("Cannot apply chat template to an empty conversation. Provide at least one message.")
    texts = [json.dumps(message.get("content", "") if isinstance(message, dict) else message) for message in messages]
    return " ".join(texts), sum(len(_TOKEN.findall(text)) + _TEMPLATE_TOKENS for text in texts)


def _whole(asked: dict[str, Any], name: str, least: int = 1) -> int | None:
    value = asked.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise RequestRefusedError(f"1 validation error: {name} should be a valid integer", name, kind="Bad Request")
    if value < least:
        raise RequestRefusedError(
            f"{name} must be at least {least}, got {value}. (parameter={name}, value={value})", name
        )
    return value


def sse(document: object) -> bytes:
    return b"data: " + json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"
DEAD_BODY = {"error": {"message": DEAD, "type": "InternalServerError", "param": None, "code": 500}}
DEAD_CHUNK = b"data: " + json.dumps(DEAD_BODY).encode() + b"\n\n"


def chunk(ask: Ask, text: str, finish: str | None) -> bytes:
    """One token of a stream."""
    choice: dict[str, Any]
    if ask.chat:
        choice = {"index": 0, "delta": {"content": text}, "logprobs": None, "finish_reason": finish}
        if finish:
            choice["stop_reason"] = None
        choice["token_ids"] = None
    else:
        choice = {
            "index": 0, "text": text, "logprobs": None, "finish_reason": finish, "stop_reason": None,
            "prompt_token_ids": None, "token_ids": None,
        }  # fmt: skip
    document = {**_head(ask, "chat.completion.chunk"), "choices": [choice]}
    if finish and not ask.usage_chunk:
        document["system_fingerprint"] = FINGERPRINT
    return sse(document)


def first_chat_chunk(ask: Ask) -> bytes:
    """The chunk that only says who speaks."""
    choice = {
        "index": 0,
        "delta": {"role": "assistant", "content": ""},
        "logprobs": None,
        "finish_reason": None,
    }
    head = _head(ask, "chat.completion.chunk")
    return sse({**head, "choices": [choice], "prompt_token_ids": None, "prompt_text": None})


def usage_chunk(ask: Ask, generated: int) -> bytes:
    head = _head(ask, "chat.completion.chunk")
    return sse({**head, "choices": [], "usage": ask.usage(generated), "system_fingerprint": FINGERPRINT})


def answer(ask: Ask, text: str, finish: str | None, generated: int) -> dict[str, Any]:
    """The whole answer of a request that does not stream."""
    common = {"logprobs": None, "finish_reason": finish, "stop_reason": None, "token_ids": None}
    choice: dict[str, Any] = {"index": 0, "text": text, **common, "prompt_logprobs": None, "prompt_token_ids": None}
    if ask.chat:
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, **common}
    usage = {**ask.usage(generated), "prompt_tokens_details": None, "completion_tokens_details": None}
    return {
        **_head(ask, "chat.completion"),
        "choices": [choice],
        "service_tier": None,
        "system_fingerprint": FINGERPRINT,
        "usage": usage,
        "kv_transfer_params": None,
    }


def _head(ask: Ask, chat_object: str) -> dict[str, Any]:
    kind = chat_object if ask.chat else "text_completion"
    return {"id": ask.id, "object": kind, "created": ask.created, "model": ask.model}
