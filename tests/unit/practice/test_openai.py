"""Requests are refused in the recorded words; answers and chunks have the recorded shape."""

import json
from typing import Any

import pytest

from paramedic.practice import openai
from paramedic.practice.openai import Ask, RequestRefusedError, read_request


def read(asked: object, *, chat: bool = False) -> Ask:
    body = asked if isinstance(asked, bytes) else json.dumps(asked).encode()
    return read_request(body, chat=chat, served="tiny", max_model_len=2048)


@pytest.mark.parametrize(
    ("asked", "status", "message"),
    [
        ({"prompt": "x", "model": "other"}, 404, "The model `other` does not exist. Valid aliases: tiny."),
        ({}, 400, "Either prompt or prompt_embeds must be provided and non-empty. (parameter=prompt)"),
        (
            {"prompt": "x", "max_tokens": 4000},
            400,
            (
                "max_tokens=4000 cannot be greater than max_model_len=2048. "
                "Please request fewer output tokens. (parameter=max_tokens, value=4000)"
            ),
        ),
        (
            {"prompt": "x", "max_tokens": -1},
            400,
            "max_tokens must be at least 1, got -1. (parameter=max_tokens, value=-1)",
        ),
        (
            {"prompt": "word " * 2049},
            400,
            (
                "This model's maximum context length is 2048 tokens. However, your prompt contains at least 2049 input "
                "tokens, which exceeds this limit even without any output tokens. Please reduce the length of the "
                "input prompt. (parameter=input_tokens, value=2049)"
            ),
        ),
    ],
)
def test_refused_as_recorded(asked: object, status: int, message: str) -> None:
    with pytest.raises(RequestRefusedError) as refusal:
        read(asked)
    assert refusal.value.body["error"]["message"] == message
    assert (refusal.value.status, refusal.value.body["error"]["code"]) == (status, status)


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"prompt": "x", "max_tokens": "many"}', b'{"prompt": 5}'])
def test_nonsense_is_a_400(body: bytes) -> None:
    with pytest.raises(RequestRefusedError) as refusal:
        read(body)
    assert refusal.value.status == 400


def test_an_empty_conversation_is_refused() -> None:
    with pytest.raises(RequestRefusedError, match="Cannot apply chat template to an empty conversation"):
        read({"messages": []}, chat=True)


def test_defaults_are_those_of_the_real_one() -> None:
    assert read({"prompt": "one two three"}).max_tokens == 16
    chat = read({"messages": [{"role": "user", "content": "hi"}]}, chat=True)
    assert chat.max_tokens == 2048 - chat.prompt_tokens
    assert chat.stop_after > 0
    assert read({"prompt": "x", "ignore_eos": True}).stop_after == 0
    assert read({"prompt": [1, 2, 3]}).prompt_tokens == 3


def test_the_same_prompt_gets_the_same_answer_and_another_id() -> None:
    one, two = read({"prompt": "x"}), read({"prompt": "x"})
    assert one.seed == two.seed
    assert one.id != two.id


def documents(chunk: bytes) -> dict[str, Any]:
    assert chunk.startswith(b"data: ")
    assert chunk.endswith(b"\n\n")
    document: dict[str, Any] = json.loads(chunk[6:])
    return document


def test_completion_chunk_has_the_recorded_keys_in_order() -> None:
    chunk = documents(openai.chunk(read({"prompt": "x"}), " a", None))
    assert list(chunk) == ["id", "object", "created", "model", "choices"]
    assert list(chunk["choices"][0]) == [
        *("index", "text", "logprobs", "finish_reason", "stop_reason", "prompt_token_ids", "token_ids")
    ]


def test_chat_chunk_has_the_recorded_keys_in_order() -> None:
    ask = read({"messages": [{"role": "user", "content": "hi"}]}, chat=True)
    assert list(documents(openai.chunk(ask, " a", None))["choices"][0]) == [
        *("index", "delta", "logprobs", "finish_reason", "token_ids")
    ]
    assert list(documents(openai.chunk(ask, " a", "stop"))["choices"][0]) == [
        *("index", "delta", "logprobs", "finish_reason", "stop_reason", "token_ids")
    ]


def test_usage_counts_both_sides() -> None:
    usage = documents(openai.usage_chunk(read({"prompt": "one two"}), 5))["usage"]
    assert usage == {"prompt_tokens": 2, "total_tokens": 7, "completion_tokens": 5}
