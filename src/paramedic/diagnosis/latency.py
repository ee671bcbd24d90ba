"""Latency taken apart: where the time of a request went, in a window, from the engine's own histograms."""

from dataclasses import dataclass
from enum import StrEnum

from paramedic.diagnosis.window_figures import Distribution, Quantile, WindowFigures
from paramedic.model.text import NO_WORDS, Text
from paramedic.signals.series import Matcher

SAME = 0.02  # two histograms that count the same requests differ by those under way at most
SAME_OUTSIDE = 0.2  # HTTP also counts requests that were refused
CALLS = Matcher("handler", "=~", "/v1/.*")


@dataclass(frozen=True, slots=True)
class Spread:
    """A time in seconds over the requests of a window: mean, and quantiles with the bucket that each lies in."""

    count: int
    mean: float
    p50: Quantile | None
    p95: Quantile | None
    p99: Quantile | None


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a request's time. `share` is of the mean end-to-end time; None where it is not known."""

    id: str
    spread: Spread | None
    mean: float | None
    share: float | None
    note: Text = NO_WORDS


class Normal(StrEnum):
    """Where a figure lies against the guide's range."""

    WITHIN = "within"
    ABOVE = "above"
    UNCLEAR = "unclear"  # the limit lies inside the bucket
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Range:
    """A figure of the guide: its limit in seconds, and what was measured."""

    id: str
    limit: float
    measured: Quantile | None
    answer: Normal


@dataclass(frozen=True, slots=True)
class Latency:
    """A window's latency. Seconds; None where the engine's figures do not tell.

    `sum_law`: mean TTFT + tokens x mean time per output token, which should be near `e2e.mean`.
    """

    start_ms: int
    end_ms: int
    requests: int
    parts: tuple[Part, ...]
    ttft: Spread | None
    tpot: Spread | None
    itl: Spread | None
    e2e: Spread | None
    prompt_tokens: float | None
    output_tokens: float | None
    sum_law: float | None
    ranges: tuple[Range, ...]

    def mean(self, name: str) -> float | None:
        """The mean of a part, None where it is not known."""
        return next((part.mean for part in self.parts if part.id == name), None)

    def share(self, name: str) -> float | None:
        """The share of a part in the mean end-to-end time, None where it is not known."""
        return next((part.share for part in self.parts if part.id == name), None)


def take_apart(figures: WindowFigures) -> Latency | None:
    """The latency of a window; None where no request finished and no token came in it."""
    e2e, ttft = figures.distribution("llm:e2e_seconds"), figures.distribution("llm:ttft_seconds")
    tpot, itl = figures.distribution("llm:tpot_seconds"), figures.distribution("llm:itl_seconds")
    if not any(each and each.count for each in (e2e, ttft, itl)):
        return None
    tokens = figures.distribution("llm:request_generation_tokens")
    prompts = figures.distribution("llm:request_prompt_tokens")
    output = tokens.mean if tokens else None
    first, whole = _spread(ttft), _spread(e2e)
    each = _spread(tpot) or _spread(itl)
    law = None
    if first and each and output is not None:
        law = first.mean + max(0.0, output - 1) * each.mean
    return Latency(
        start_ms=figures.start_ms,
        end_ms=figures.end_ms,
        requests=round(e2e.count) if e2e else 0,
        parts=_parts(figures, e2e, ttft),
        ttft=first,
        tpot=_spread(tpot),
        itl=_spread(itl),
        e2e=whole,
        prompt_tokens=prompts.mean if prompts else None,
        output_tokens=output,
        sum_law=law,
        ranges=(
            _range("ttft-p50", 2.0, first.p50 if first else None),
            _range("tpot-p50", 0.05, each.p50 if each else None),
            _range("e2e-p95", 8.0, whole.p95 if whole else None),
        ),
    )


# The parts


_OTHER_REQUESTS = Text("counts other requests than the end-to-end time", "统计的请求与端到端时延不一致")
_NOT_EXPOSED = Text("the engine does not expose it", "引擎没有暴露该指标")
_LESS_QUEUE = Text("mean TTFT less the queue; the front end is in it", "平均 TTFT 减去排队；含前端")
_LESS_TTFT = Text("mean end to end less mean TTFT", "平均端到端减去平均 TTFT")
_LEFT_OVER = Text("end to end less queue, prefill and decode", "端到端减去排队、prefill 和 decode")
_OUTSIDE = Text("HTTP less end to end, beyond the share", "HTTP 时间减去端到端，不计入占比")
_NO_HTTP = Text("no HTTP durations, or of other requests", "没有 HTTP 时延，或统计的请求不一致")


def _parts(figures: WindowFigures, e2e: Distribution | None, ttft: Distribution | None) -> tuple[Part, ...]:
    whole = e2e.mean if e2e else None
    queue = _own_part(figures, "queue", e2e)
    prefill, decode = _own_part(figures, "prefill", e2e), _own_part(figures, "decode", e2e)
    first = ttft.mean if ttft else None
    if prefill.mean is None and prefill.note == _NOT_EXPOSED and first is not None and queue.mean is not None:
        prefill = _part("prefill", None, max(0.0, first - queue.mean), whole, _LESS_QUEUE)
    if decode.mean is None and decode.note == _NOT_EXPOSED and first is not None and whole is not None:
        decode = _part("decode", None, max(0.0, whole - first), whole, _LESS_TTFT)
    inside = [part.mean for part in (queue, prefill, decode)]
    rest = None
    if whole is not None and prefill.note != _LESS_QUEUE and all(mean is not None for mean in inside):
        rest = max(0.0, whole - sum(mean or 0.0 for mean in inside))
    front = _part("front-end", None, rest, whole, _LEFT_OVER if rest is not None else _NOT_EXPOSED)
    return (queue, prefill, decode, front, _outside(figures, e2e))


def _own_part(figures: WindowFigures, name: str, e2e: Distribution | None) -> Part:
    found = figures.distribution(f"llm:{name}_seconds")
    if found is None or not found.count:
        return Part(name, None, None, None, _NOT_EXPOSED)
    whole = e2e.mean if e2e and abs(e2e.count - found.count) <= max(1.0, SAME * e2e.count) else None
    return _part(name, _spread(found), found.mean, whole, NO_WORDS if whole else _OTHER_REQUESTS)


def _part(name: str, spread: Spread | None, mean: float | None, whole: float | None, note: Text) -> Part:
    return Part(name, spread, mean, mean / whole if mean is not None and whole else None, note)


def _outside(figures: WindowFigures, e2e: Distribution | None) -> Part:
    """What the API server spends on a request before it arrives at the engine's front end and after it has left."""
    http = figures.distribution("llm:http_seconds", CALLS)
    if http is None or e2e is None or http.mean is None or e2e.mean is None:
        return Part("outside", None, None, None, _NO_HTTP)
    if abs(http.count - e2e.count) > max(1.0, SAME_OUTSIDE * e2e.count):
        return Part("outside", None, None, None, _NO_HTTP)
    return Part("outside", None, max(0.0, http.mean - e2e.mean), None, _OUTSIDE)


def _spread(found: Distribution | None) -> Spread | None:
    if found is None or found.mean is None:
        return None
    quantiles = (found.quantile(share) for share in (0.5, 0.95, 0.99))
    return Spread(round(found.count), found.mean, *quantiles)


def _range(name: str, limit: float, measured: Quantile | None) -> Range:
    if measured is None:
        answer = Normal.UNKNOWN
    elif measured.low >= limit:
        answer = Normal.ABOVE
    else:
        answer = Normal.WITHIN if measured.high is not None and measured.high <= limit else Normal.UNCLEAR
    return Range(name, limit, measured, answer)
