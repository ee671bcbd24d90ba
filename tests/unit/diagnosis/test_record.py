"""A line is unwrapped whatever launcher wrapped it, and nothing secret is kept of it."""

import pytest

from paramedic.diagnosis.record import read_record, without_secrets
from paramedic.model.target import Role

PLAIN = "(EngineCore_DP0 pid=70) ERROR 10-12 08:22:41 [core.py:710] RuntimeError: no"


@pytest.mark.parametrize(
    ("line", "role", "level", "text"),
    [
        (PLAIN, Role.ENGINE_CORE, "ERROR", "RuntimeError: no"),
        ("2026-11-23T08:10:59.1Z " + PLAIN, Role.ENGINE_CORE, "ERROR", "RuntimeError: no"),
        ("[1;36m(EngineCore_0 pid=7)[0;0m ERROR 10-12 08:22:41 [core.py:7] x", Role.ENGINE_CORE, "ERROR", "x"),
        ("\x1b[1;36m(VllmWorker TP1 pid=7)\x1b[0;0m INFO 10-12 08:22:41 [a.py:7] x", Role.WORKER, "INFO", "x"),
        ("(VllmWorker rank=1 pid=210) ERROR 04-01 09:00:10 [multiproc_executor.py:390] x", Role.WORKER, "ERROR", "x"),
        ("(RayWorkerWrapper pid=4, ip=10.0.0.5) ERROR 10-02 10:00:00 worker.py:9] x", Role.WORKER, "ERROR", "x"),
        ("INFO 10-02 10:00:10 api_server.py:526] x", None, "INFO", "x"),
        ("INFO 2026-10-02 10:00:10 [api_server.py:526] x", None, "INFO", "x"),
        ("[rank0]: torch.OutOfMemoryError: x", None, "", "torch.OutOfMemoryError: x"),
        ("ERROR:    [Errno 98] x", None, "ERROR", "[Errno 98] x"),
        ("Loading:  0%\rLoading: 50%\rLoading: 100%", None, "", "Loading: 100%"),
        ('{"log": 5}', None, "", '{"log": 5}'),
        ('{"log": broken', None, "", '{"log": broken'),
        ("", None, "", ""),
    ],
)
def test_read(line: str, role: Role | None, level: str, text: str) -> None:
    record = read_record(line)
    assert (record.role, record.level, record.text) == (role, level, text)


def test_clock_of_the_engine() -> None:
    first, second = (read_record(f"INFO 10-31 23:59:5{n} [a.py:1] x").seconds for n in (1, 9))
    assert first is not None
    assert second is not None
    assert second - first == 8


@pytest.mark.parametrize(
    "text",
    [
        "non-default args: {'api_key': ['topsecret9'], 'port': 8000}",
        "args: Namespace(api_key='topsecret9', port=8000)",
        "vllm serve m --api-key topsecret9",
        "vllm serve m --api-key=topsecret9",
        "HF_TOKEN=topsecret9 vllm",
        "Authorization: Bearer topsecret9",
        "using token hf_topsecret9",
        "https://user:topsecret9@host/path",
        '{"password": "topsecret9"}',
    ],
)
def test_secrets_are_masked(text: str) -> None:
    assert "topsecret9" not in without_secrets(text)


def test_what_is_no_secret_stays() -> None:
    text = "max_tokens=128, stop_token_ids=[], eos_token=None, non-default args: {'port': 8000}"
    assert without_secrets(text) == text
