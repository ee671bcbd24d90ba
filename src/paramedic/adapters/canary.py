"""The request for one token: which call a model answers, and what an answer proves."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from paramedic.ports import Canary, Reply

PAUSED_QUESTIONS = (("/is_paused", "is_paused"), ("/is_sleeping", "is_sleeping"))
"""(path, field) of vLLM's development mode; a server without it answers 404, which says nothing."""

NOT_THIS_CALL = (400, 404, 405, 501)
"""How a server says that its model has no such call: no route, or a route that refuses the model."""


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """One way to make a model work once. `proof` finds the result in the answer."""

    path: str
    body: Callable[[str], dict[str, Any]]
    proof: Callable[[dict[str, Any]], bool]


def _has_token(answer: dict[str, Any]) -> bool:
    usage = answer.get("usage")
    counted = usage.get("completion_tokens") if isinstance(usage, dict) else None
    return bool(answer.get("choices")) and counted != 0


def _has_embedding(answer: dict[str, Any]) -> bool:
    data = answer.get("data")
    return isinstance(data, list) and bool(data) and isinstance(data[0], dict) and bool(data[0].get("embedding"))


CALLS = (
    Call(
        "/v1/completions",
        lambda model: {"model": model, "prompt": "1", "max_tokens": 1, "temperature": 0, "stream": False},
        _has_token,
    ),
    Call("/v1/embeddings", lambda model: {"model": model, "input": "1"}, _has_embedding),
    Call(
        "/v1/rerank",
        lambda model: {"model": model, "query": "1", "documents": ["1"]},
        lambda answer: bool(answer.get("results")),
    ),
    Call(
        "/score",
        lambda model: {"model": model, "text_1": "1", "text_2": "1"},
        lambda answer: bool(answer.get("data")),
    ),
)


def judge(call: Call | None, reply: Reply, path: str) -> Canary:
    """What that answer proves. Details name the path and the status, never what was sent or said."""
    if reply.error == "timeout":
        return Canary("timeout", reply.seconds, f"no answer from {path}")
    if reply.error == "refused":
        return Canary("refused", reply.seconds, "nobody listens")
    if reply.error:
        return Canary("error", reply.seconds, f"{path}: {reply.error}")
    if reply.status in (401, 403):
        return Canary("unauthorised", reply.seconds, f"HTTP {reply.status} from {path}: an API key is needed")
    if reply.status == 503 and says_paused(reply.body):
        return Canary("paused", reply.seconds, f"HTTP 503 from {path}: paused")
    if reply.status == 429 or (reply.status == 503 and b"busy" in reply.body[:4096].lower()):
        return Canary("busy", reply.seconds, f"HTTP {reply.status} from {path}: busy, its queue is full")
    if not reply.ok or call is None:
        return Canary("error", reply.seconds, f"HTTP {reply.status} from {path}")
    answer = json_object(reply.body)
    if answer.get("error") or not call.proof(answer):
        return Canary("error", reply.seconds, f"HTTP 200 from {path} without a result")
    return Canary("token", reply.seconds)


def json_object(body: bytes) -> dict[str, Any]:
    """The JSON object in a body; an empty one for anything else."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def means_not_this_call(reply: Reply) -> bool:
    """Whether another call may suit the model better."""
    return not reply.error and reply.status in NOT_THIS_CALL


def says_paused(body: bytes) -> bool:
    """A pause by a person, or a scaling that is under way: neither is a fault."""
    text = body[:4096].lower()
    return b"paused" in text or b"currently scaling" in text


def base_model(listing: dict[str, Any], wanted: str = "") -> str | None:
    """The served model's name in an answer of vLLM's /v1/models, `wanted` when it is there; None for other answers."""
    data = listing.get("data")
    if listing.get("object") != "list" or not isinstance(data, list):
        return None
    models = [entry for entry in data if isinstance(entry, dict) and isinstance(entry.get("id"), str)]
    models = [entry for entry in models if entry.get("owned_by", "vllm") == "vllm"]
    if any(entry["id"] == wanted for entry in models):
        return wanted
    bases = [entry["id"] for entry in models if not entry.get("parent")]  # LoRA adapters have a parent
    return str(bases[0]) if bases else None
