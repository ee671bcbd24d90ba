"""Windows over recorded scrapes, and over histograms that a test makes up."""

import gzip
from collections.abc import Mapping, Sequence
from pathlib import Path

from paramedic.adapters.recordings.scrapes import engine_scrapes
from paramedic.adapters.storage.samples_memory import MemorySamples
from paramedic.diagnosis.checkpoint import Evidence
from paramedic.diagnosis.latency import take_apart
from paramedic.diagnosis.window_figures import WindowFigures
from paramedic.knowledge.lexicon import shipped_vocabulary
from paramedic.model.sample import Scrape, label_set

RECORDINGS = Path(__file__).parents[2] / "recordings"
LABELS = {"target": "t", "job": "vllm", "instance": "t"}
DAY_MS = 30 * 24 * 3600 * 1000


def recorded(name: str, since: float = 0.0, until: float = 0.0) -> WindowFigures:
    """A window over a recording, by default the whole of it; epoch seconds."""
    text = gzip.decompress((RECORDINGS / f"scrapes-h100-{name}.txt.gz").read_bytes()).decode()
    scrapes = [scrape for scrape in engine_scrapes(text.split("\n"), LABELS) if scrape.series]
    samples = MemorySamples(DAY_MS)
    for scrape in scrapes:
        samples.append(scrape)
    begin, end = since or scrapes[0].at / 1e9, until or scrapes[-1].at / 1e9
    return WindowFigures(samples, shipped_vocabulary(), round(begin * 1000), round(end * 1000))


def made(*at: Mapping[str, float], every: int = 10) -> WindowFigures:
    """Scrapes `every` seconds, each a mapping of `name{label="value"}` to its value."""
    samples = MemorySamples(DAY_MS)
    for number, page in enumerate(at):
        series = [_labels(text) for text in page]
        samples.append(Scrape("engine:t", (1000 + number * every) * 10**9, series, list(page.values())))
    return WindowFigures(samples, shipped_vocabulary(), 1_000_000, (1000 + (len(at) - 1) * every) * 1000)


def histogram(name: str, bounds: Sequence[float], counts: Sequence[float], total: float) -> dict[str, float]:
    """A histogram as it is exposed; `counts` are not cumulative and one longer than `bounds`."""
    page, below = {}, 0.0
    for bound, count in zip([*map(str, bounds), "+Inf"], counts, strict=True):
        below += count
        page[f'{name}_bucket{{le="{bound}"}}'] = below
    return page | {f"{name}_sum": total, f"{name}_count": below}


def evidence(figures: WindowFigures, settings: Mapping[str, float | str | bool] | None = None) -> Evidence:
    latency = take_apart(figures)
    assert latency is not None
    return Evidence(figures, latency, settings)


def _labels(text: str) -> tuple[tuple[str, str], ...]:
    name, _, inside = text.partition("{")
    pairs = (pair.split("=", 1) for pair in inside.rstrip("}").split(",") if pair)
    return label_set(name, {**LABELS, **{key: value.strip('"') for key, value in pairs}})
