"""A line says which stage it opens; nearly every line opens none."""

import pytest

from paramedic.diagnosis.stage import StageReader
from paramedic.knowledge.catalogue import load_stages
from tests.unit.diagnosis.build import DEATH, FALLOUT, STOP


@pytest.mark.parametrize(
    ("line", "stage"),
    [
        ("INFO [startup.py:96] non-default args: {}", "configuring"),
        ("(EngineCore pid=2) INFO 11-02 10:00:05 [a.py:1] Starting to load model /m...", "loading"),
        ("INFO 11-02 10:00:05 [a.py:1] Model loading took 15.27 GiB and 2.243865 seconds", "profiling"),
        ("INFO 11-02 10:00:05 [a.py:1] Dynamo bytecode transform time: 12.59 s", "compiling"),
        ("INFO 11-02 10:00:05 [a.py:1] GPU KV cache size: 408,256 tokens", "kv-cache"),
        ("INFO 08-01 10:02:11 gpu_executor.py:122] # GPU blocks: 27896, # CPU blocks: 2048", "kv-cache"),
        ("Capturing CUDA graphs (PIECEWISE):   0%|          | 0/51 [00:00<?, ?it/s]", "capturing"),
        ("INFO 11-02 10:00:05 [a.py:1] Graph capturing finished in 21 secs, took 0.49 GiB", "warming"),
        ("INFO:     Application startup complete.", "serving"),
        (STOP, "stopping"),
        # What is written after a death too must not count as a stop.
        ("INFO:     Shutting down", None),
        ("INFO:     Application shutdown complete.", None),
        (DEATH, None),
        (FALLOUT[0], None),
        ('INFO:     127.0.0.1:1 - "GET /health HTTP/1.1" 200 OK', None),
        ("", None),
    ],
)
def test_stage_of(line: str, stage: str | None) -> None:
    assert StageReader(load_stages()).opened(["", line, "x"]) == ([stage] if stage else [])


def test_stages_come_in_the_order_of_their_lines() -> None:
    lines = ["INFO:     Application startup complete.", "x", STOP]
    assert StageReader(load_stages()).opened(lines) == ["serving", "stopping"]
    assert StageReader(load_stages()).opened([]) == []


def test_every_stage_has_a_name_in_both_languages() -> None:
    stages = load_stages()
    assert [stage.id for stage in stages.stages] == (
        "configuring loading profiling compiling kv-cache capturing warming serving stopping".split()
    )
    assert all(stages.text(stage.id).en != stages.text(stage.id).zh for stage in stages.stages)
