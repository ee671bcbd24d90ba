"""The practice engine's /metrics has the families, types, labels and buckets of the recorded real 0.32."""

import re
from pathlib import Path

from tests.integration.practice_engine import practice_engine, stream, wait_until

RECORDING = Path(__file__).parents[1] / "recordings" / "metrics-0.32.txt"
SAMPLE = re.compile(r"(?P<name>[\w:]+)(?:\{(?P<labels>.*)\})? \S+")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
FREE = {
    *("version", "major", "minor", "patchlevel", "implementation"),  # of the Python that runs it
    *("handler", "method", "status"),  # of what was asked
    "model_name",
}

Shape = tuple[str, frozenset[str], frozenset[tuple[str, str]]]


def shape(exposition: str) -> tuple[dict[str, str], set[Shape]]:
    """The type of every family, and of every sample its name, its label names and the values that are fixed."""
    types: dict[str, str] = {}
    samples: set[Shape] = set()
    for line in exposition.splitlines():
        if line.startswith("# TYPE "):
            family, kind = line.split()[2:]
            types[family] = kind
        elif line and not line.startswith("#"):
            match = SAMPLE.fullmatch(line)
            assert match, line
            labels = dict(LABEL.findall(match["labels"] or ""))
            open_ended = match["name"] == "vllm:cache_config_info"
            fixed = frozenset((name, value) for name, value in labels.items() if name not in FREE and not open_ended)
            samples.add((match["name"], frozenset(labels), fixed))
    return types, samples


async def test_equal_to_the_recording(tmp_path: Path) -> None:
    with practice_engine(tmp_path / "data", "--no-traffic") as engine:
        engine.ready()
        await stream(engine, 2)
        wait_until(lambda: "http_requests_total{" in engine.get("/metrics")[1], "counted")
        ours_types, ours = shape(engine.get("/metrics")[1])
    real_types, real = shape(RECORDING.read_text("utf-8"))
    assert ours_types == real_types
    assert ours == real
    assert len(real) > 400
