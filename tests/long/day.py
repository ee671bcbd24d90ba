"""A day of an engine's traffic, in its own words: the recorded page of a real 0.32, its figures moved by a day."""

import math
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tests.unit.pipeline.rig import Engine

RECORDING = Path(__file__).parents[1] / "recordings" / "metrics-0.32.txt"
SAMPLE = re.compile(r"([\w:]+)(?:\{(.*)\})? (\S+)$")
BOUND = re.compile(r'le="([^"]+)"')
HOUR = 3600.0
SEATS = 64  # requests that run at once
KV_TOKENS = 160_000


class Page:
    """The recorded page; `add`, `put` and `observe` change it."""

    def __init__(self) -> None:
        self._lines: list[str] = []  # all of it, a sample without its value
        self._values: list[float | None] = []
        self._place: dict[tuple[str, str], int] = {}
        self._bounds: dict[str, tuple[list[float], list[int]]] = {}
        for line in RECORDING.read_text("utf-8").splitlines():
            match = None if line.startswith("#") else SAMPLE.match(line)
            if match is None:
                self._lines.append(line)
                self._values.append(None)
                continue
            name, labels, value = match.groups()
            self._place[name, labels or ""] = len(self._lines)
            if (bound := BOUND.search(labels or "")) and name.startswith("vllm:"):
                bounds, places = self._bounds.setdefault(name.removesuffix("_bucket"), ([], []))
                bounds.append(float(bound[1]))
                places.append(len(self._lines))
            self._lines.append(line[: -len(value)])
            self._values.append(float(value))

    def add(self, name: str, amount: float, label: str = "") -> None:
        place = self._find(name, label)
        self._values[place] = (self._values[place] or 0.0) + amount

    def put(self, name: str, value: float) -> None:
        self._values[self._find(name, "")] = value

    def observe(self, name: str, values: np.ndarray) -> None:
        """So many observations of a histogram."""
        bounds, places = self._bounds[name]
        counts = np.searchsorted(np.sort(values), bounds, "right")
        for place, count in zip(places, counts, strict=True):
            self._values[place] = (self._values[place] or 0.0) + float(count)
        self.add(f"{name}_sum", float(values.sum()))
        self.add(f"{name}_count", len(values))

    def text(self) -> bytes:
        lines = (
            line if value is None else f"{line}{value!r}" for line, value in zip(self._lines, self._values, strict=True)
        )
        return ("\n".join(lines) + "\n").encode()

    def _find(self, name: str, label: str) -> int:
        key = (name, label)
        if key not in self._place:
            self._place[key] = next(p for (n, labels), p in self._place.items() if n == name and label in labels)
        return self._place[key]


@dataclass
class DayEngine(Engine):
    """An engine with a day's clients: nobody at night, two peaks at which its KV cache is full and requests wait for
    seconds. None of it is a fault.
    """

    seed: int = 1
    page_of_day: Page = field(default_factory=Page)

    def __post_init__(self) -> None:
        self._draw = np.random.default_rng(self.seed)

    def rate(self, at: float) -> float:
        """Requests per second at a second of the day: 22:13 is when it begins."""
        hour = (at / HOUR + 22.2) % 24
        if 1.0 <= hour < 5.0:
            return 0.002
        noon, evening = (math.exp(-(((hour - peak) / width) ** 2)) for peak, width in ((11.5, 2.0), (20.5, 1.6)))
        return 0.1 + 4.0 * noon + 4.8 * evening

    def page(self, at: float) -> bytes:
        passed, self._looked_at = at - self._looked_at, at
        if self.moving and passed > 0:
            self._serve(at, min(passed, 900.0))
        return self.page_of_day.text()

    def _serve(self, at: float, seconds: float) -> None:
        page, draw = self.page_of_day, self._draw
        count = int(draw.poisson(self.rate(at) * seconds))
        itl = 0.012 + 0.02 * min(1.0, self.rate(at) / 5.0)
        answer = draw.lognormal(5.2, 0.6, count).clip(1, 4000)
        running = min(SEATS, int(draw.poisson(self.rate(at) * 220 * itl)))
        waiting = int(draw.integers(0, 12)) if running > SEATS * 0.4 and draw.random() < 0.3 else 0
        queue = draw.exponential(0.02 + 0.15 * waiting, count)
        prefill = draw.lognormal(-1.5, 0.5, count)
        decode = answer * itl
        for name, values in {
            "vllm:request_queue_time_seconds": queue,
            "vllm:request_prefill_time_seconds": prefill,
            "vllm:time_to_first_token_seconds": queue + prefill,
            "vllm:request_decode_time_seconds": decode,
            "vllm:request_inference_time_seconds": prefill + decode,
            "vllm:e2e_request_latency_seconds": queue + prefill + decode,
            "vllm:inter_token_latency_seconds": np.full(int(answer.sum()), itl),
        }.items():
            page.observe(name, values)
        asked = draw.lognormal(6.5, 0.8, count).sum() if count else 0.0
        page.add("vllm:prompt_tokens_total", float(int(asked)))
        page.add("vllm:generation_tokens_total", float(int(answer.sum())))
        gone_away = int(draw.binomial(count, 0.05))  # clients that hang up: no error of ours
        page.add("vllm:request_success_total", count - gone_away, 'finished_reason="stop"')
        page.add("vllm:request_success_total", gone_away, 'finished_reason="abort"')
        page.add("vllm:num_preemptions_total", float(draw.random() < 0.02 and running > SEATS * 0.4))
        page.put("vllm:num_requests_running", float(running))
        page.put("vllm:num_requests_waiting", float(waiting))
        page.put("vllm:kv_cache_usage_perc", min(0.99, running * 2000.0 / KV_TOKENS * 1.5))
