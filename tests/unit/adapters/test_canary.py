import json

import pytest

from paramedic.adapters.canary import CALLS, base_model, judge, means_not_this_call
from paramedic.ports import Reply

COMPLETIONS, EMBEDDINGS, RERANK, SCORE = CALLS


def reply(status: int, body: object = None) -> Reply:
    return Reply(status, body=json.dumps(body).encode(), seconds=0.5)


@pytest.mark.parametrize(
    ("call", "body"),
    [
        (COMPLETIONS, {"choices": [{"text": ""}], "usage": {"completion_tokens": 1}}),
        (COMPLETIONS, {"choices": [{"text": "a"}]}),
        (EMBEDDINGS, {"data": [{"embedding": [0.1]}]}),
        (RERANK, {"results": [{"index": 0}]}),
        (SCORE, {"data": [{"score": 0.2}]}),
    ],
)
def test_a_result_is_the_proof(call: object, body: object) -> None:
    answer = judge(call, reply(200, body), call.path)  # type: ignore[arg-type, attr-defined]
    assert (answer.result, answer.seconds) == ("token", 0.5)


@pytest.mark.parametrize(
    "body",
    [{}, [], None, {"choices": []}, {"choices": [{"text": ""}], "usage": {"completion_tokens": 0}},
     {"choices": [1], "error": {"message": "EngineCore encountered an issue"}}],
)  # fmt: skip
def test_a_200_without_a_result_proves_nothing(body: object) -> None:
    assert judge(COMPLETIONS, reply(200, body), "/v1/completions").result == "error"


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (Reply(error="refused"), "refused"),
        (Reply(error="timeout"), "timeout"),
        (Reply(error="reset"), "error"),
        (reply(401), "unauthorised"),
        (reply(403), "unauthorised"),
        (reply(500, {"error": {"message": "secret prompt"}}), "error"),
        (reply(503, {"error": {"message": "Generation is paused. Please retry after it resumes."}}), "paused"),
        (reply(503, {"error": "The model is currently scaling. Please try again later."}), "paused"),
        (reply(503, {"error": {"message": "The engine is currently busy and cannot accept new requests."}}), "busy"),
        (reply(429), "busy"),
    ],
)
def test_what_an_answer_means(answer: Reply, result: str) -> None:
    judged = judge(COMPLETIONS, answer, "/v1/completions")
    assert judged.result == result
    assert judged.detail
    assert "secret" not in judged.detail


def test_another_call_is_tried_only_where_the_server_refuses_this_one() -> None:
    assert all(means_not_this_call(reply(status)) for status in (400, 404, 405, 501))
    assert not any(means_not_this_call(reply(status)) for status in (200, 401, 429, 500, 503))
    assert not means_not_this_call(Reply(error="timeout"))


def test_the_base_model_is_named_not_its_adapter() -> None:
    listing = {
        "object": "list",
        "data": [
            {"id": "lora", "owned_by": "vllm", "parent": "base"},
            {"id": "base", "owned_by": "vllm", "parent": None},
        ],
    }
    assert base_model(listing) == "base"
    assert base_model(listing, wanted="lora") == "lora"
    assert base_model(listing, wanted="gone") == "base"


@pytest.mark.parametrize(
    "listing",
    [{}, {"object": "list"}, {"object": "list", "data": "x"}, {"object": "list", "data": []},
     {"object": "list", "data": [{"id": "x", "owned_by": "sglang"}]}, {"data": [{"id": "x"}]}],
)  # fmt: skip
def test_other_answers_are_no_vllm(listing: dict[str, object]) -> None:
    assert base_model(listing) is None
