"""/v1/embeddings: what is asked is judged, and every input has its vector."""

import json
import math

import pytest

from paramedic.practice.embeddings import DIMENSIONS, read_request, vector
from paramedic.practice.openai import RequestRefusedError


def ask(**fields: object) -> bytes:
    return json.dumps(fields).encode()


def test_one_text_several_texts_and_tokens() -> None:
    one = read_request(ask(model="m", input="two words"), served="m", max_model_len=100)
    several = read_request(ask(input=["two words", "one more time"]), served="m", max_model_len=100)
    tokens = read_request(ask(input=[5, 6, 7]), served="m", max_model_len=100)
    assert (one.tokens, several.tokens, tokens.tokens) == (2, 5, 3)
    answer = several.answer()
    assert [item["index"] for item in answer["data"]] == [0, 1]
    assert answer["usage"]["prompt_tokens"] == 5
    assert answer["data"][0]["embedding"] == one.answer()["data"][0]["embedding"]
    assert answer["data"][0]["embedding"] != answer["data"][1]["embedding"]


def test_a_vector_has_length_one() -> None:
    values = vector(12345)
    assert len(values) == DIMENSIONS
    assert math.hypot(*values) == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, 400),
        ({"input": ""}, 400),
        ({"input": []}, 400),
        ({"input": {"text": "x"}}, 400),
        ({"input": ["x", ""]}, 400),
        ({"input": "word " * 200}, 400),
        ({"input": "x", "model": "other"}, 404),
    ],
)
def test_refusals(fields: dict[str, object], status: int) -> None:
    with pytest.raises(RequestRefusedError) as refused:
        read_request(ask(**fields), served="m", max_model_len=100)
    assert refused.value.status == status
