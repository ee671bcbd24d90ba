"""What a log tells of a while ago is over when the watcher sees the engine serve."""

import pytest

from paramedic.diagnosis.diagnose import diagnose
from paramedic.diagnosis.scene import Log, Scene
from paramedic.knowledge.catalogue import load_catalogue
from paramedic.model.target import EngineState

HUNG = (
    "(APIServer pid=1) INFO 11-24 10:00:00 [launcher.py:36] Application startup complete.",
    (
        "(APIServer pid=1) INFO 11-24 10:00:10 [loggers.py:1] Engine 000: Avg prompt throughput: 9.0 tokens/s, Avg "
        "generation throughput: 90.0 tokens/s, Running: 3 reqs, Waiting: 0 reqs, GPU KV cache usage: 5.1%"
    ),
    (
        "(APIServer pid=1) INFO 11-24 10:00:20 [loggers.py:1] Engine 000: Avg prompt throughput: 0.0 tokens/s, Avg "
        "generation throughput: 0.0 tokens/s, Running: 3 reqs, Waiting: 0 reqs, GPU KV cache usage: 5.1%"
    ),
    '(APIServer pid=1) INFO:     127.0.0.1:5 - "GET /health HTTP/1.1" 200 OK',
)


@pytest.mark.parametrize(
    ("state", "causes"),
    [
        (None, ["engine-hung"]),
        (EngineState.SILENT, ["engine-hung"]),
        (EngineState.UNRESPONSIVE, ["engine-hung"]),
        (EngineState.SERVING, []),
    ],
)
def test_hang_that_is_over(state: EngineState | None, causes: list[str]) -> None:
    answer = diagnose(Scene((Log("server.log", HUNG),), state=state), load_catalogue())
    assert [finding.cause for finding in answer.findings] == causes
