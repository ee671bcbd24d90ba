"""What a scrape shows of work and progress, also where some of it is no number."""

import math

from paramedic.knowledge.lexicon import load_vocabulary
from paramedic.model.sample import label_set
from paramedic.pipeline.figures import FigureReader

SERIES = [
    label_set("vllm:num_requests_running", {"engine": "0"}),
    label_set("vllm:num_requests_waiting", {"engine": "0"}),
    label_set("vllm:generation_tokens_total", {"engine": "0"}),
    label_set("vllm:kv_cache_usage_perc", {"engine": "0"}),
]


def test_a_figure_that_is_no_number_is_no_progress_and_no_zero() -> None:
    reader = FigureReader(load_vocabulary())
    first = reader.read(SERIES, [2.0, 1.0, 100.0, math.nan])
    second = reader.read(SERIES, [2.0, 1.0, 100.0, math.nan])
    assert first is not None
    assert (first.work, first.generated) == (3.0, 100.0)
    assert first == second


def test_without_one_number_of_its_work_there_are_no_figures() -> None:
    assert FigureReader(load_vocabulary()).read(SERIES, [math.nan, math.nan, 100.0, 0.5]) is None
