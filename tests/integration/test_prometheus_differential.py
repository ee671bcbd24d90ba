"""Our evaluator against a real Prometheus 2: the same samples, the same queries, the same answers."""

import json
import math
import random
import re
import shutil
import struct
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from paramedic.model.sample import LabelSet, label_set
from paramedic.signals.evaluate import EvaluationError, Evaluator
from paramedic.signals.series import STALE, Matcher, Series

START_S = 1_700_000_000 // 60 * 60
END_S = START_S + 3600
STEP_S = 75  # meets the edges of the 15 s grid, and does not

QUERIES = [
    "requests_total",
    'requests_total{code="500"}',
    'requests_total{code!="500", instance=~"a|b.*"}',
    'requests_total{code!~"5.."}',
    '{__name__=~"queue.*"}',
    "queue offset 5m",
    "queue offset -2m",
    "rate(requests_total[5m])",
    "rate(requests_total[1m])",
    "rate(requests_total[4m] offset 3m)",
    "increase(requests_total[10m])",
    "irate(requests_total[3m])",
    "delta(queue[5m])",
    "idelta(queue[5m])",
    "deriv(queue[10m])",
    "predict_linear(queue[10m], 600)",
    "changes(queue[10m])",
    "resets(requests_total[15m])",
    "avg_over_time(queue[5m])",
    "sum_over_time(queue[5m])",
    "min_over_time(queue[5m])",
    "max_over_time(odd[5m])",
    "min_over_time(odd[5m])",
    "count_over_time(odd[5m])",
    "last_over_time(queue[5m])",
    "present_over_time(queue[5m])",
    "stddev_over_time(queue[5m])",
    "stdvar_over_time(queue[5m])",
    "quantile_over_time(0.9, queue[5m])",
    "quantile_over_time(0.5, odd[5m])",
    "sum(queue)",
    "sum by (instance) (requests_total)",
    "sum without (code) (rate(requests_total[5m]))",
    "avg by (code) (requests_total)",
    "min(queue)",
    "max by (instance) (odd)",
    "count by (code) (requests_total)",
    "group by (code) (requests_total)",
    "stddev(queue)",
    "stdvar by (instance) (requests_total)",
    "quantile(0.7, queue)",
    "topk(2, avg_over_time(queue[10m]))",
    "bottomk by (code) (1, avg_over_time(requests_total[12m]))",
    "histogram_quantile(0.95, rate(latency_seconds_bucket[5m]))",
    "histogram_quantile(0.5, sum by (le) (rate(latency_seconds_bucket[5m])))",
    "histogram_quantile(0, latency_seconds_bucket)",
    "histogram_quantile(1, latency_seconds_bucket)",
    "histogram_quantile(2, latency_seconds_bucket)",
    "queue + 1",
    "-queue",
    "2 ^ queue % 7",
    "queue / 0",
    "abs(queue atan2 3)",  # Prometheus 2.42 forgets to drop the name of atan2
    "queue > 5",
    "queue > bool 5",
    "5 < queue",
    "odd == odd",
    "requests_total / on (instance) group_left queue",
    "queue * on (instance) group_right () requests_total",
    "requests_total * ignoring (code) group_left (zone) queue",
    "sum by (instance) (requests_total) / queue",
    "queue and on (instance) requests_total{code=\"500\"}",
    "queue or requests_total",
    "queue unless queue > 5",
    "queue > on (instance) sum by (instance) (queue) / 2",
    "absent(queue)",
    'absent(nothing{job="x", zone=~"y.*"})',
    "absent(sum(nothing))",
    'absent_over_time(nothing{job="x"}[5m])',
    "absent_over_time(gone[5m])",
    "time() - timestamp(queue)",
    "timestamp(queue + 1)",
    "scalar(queue)",
    "vector(time()) - 3",
    "clamp(queue, 2, 8)",
    "clamp_min(odd, 3)",
    "clamp_max(odd, 3)",
    "round(queue / 3, 0.25)",
    "abs(queue - 5)",
    "ceil(queue / 3)",
    "floor(queue / 3)",
    "sgn(queue - 5)",
    "sqrt(queue)",
    "exp(queue)",
    "ln(queue)",
    "log2(queue)",
    "log10(queue)",
    'label_replace(queue, "host", "$1-x", "instance", "(.).*")',
    'label_join(requests_total, "both", "/", "instance", "code")',
    "max_over_time(rate(requests_total[2m])[10m:1m])",
    "avg_over_time(queue[7m:45s])",
    "sum_over_time(sum(queue)[5m:] offset 2m)",
    "max_over_time(avg_over_time(queue[2m])[6m:90s] offset 1m)",
    "rate(sum(requests_total)[10m:15s])",
    "count_over_time(vector(time())[5m:1m])",
    "gone",
    "changes(jittered[10m])",
    "rate(jittered[2m])",
]  # fmt: skip


class Samples:
    """Series in memory, nothing more."""

    def __init__(self, series: list[Series]) -> None:
        self.series = series

    def select(self, matchers: list[Matcher], start_ms: int, end_ms: int) -> list[Series]:
        result = []
        for each in self.series:
            if all(matcher.matches(each.labels) for matcher in matchers):
                inside = (each.times >= start_ms) & (each.times <= end_ms)
                if inside.any():
                    result.append(Series(each.labels, each.times[inside], each.values[inside]))
        return result


def make_series() -> list[Series]:
    """Counters with resets and gaps, gauges, NaN and infinity, series that end and begin again, a histogram."""
    dice = random.Random(20_26)
    series: list[Series] = []

    def add(labels: LabelSet, values: list[float | None], jitter: int = 0) -> None:
        points = [
            ((START_S + 15 * index) * 1000 + (dice.randrange(jitter) if jitter else 0), value)
            for index, value in enumerate(values)
            if value is not None
        ]
        times, numbers = zip(*points, strict=True)
        series.append(Series(labels, np.array(times, dtype=np.int64), np.array(numbers, dtype=np.float64)))

    def counter(start: float = 0.0) -> list[float | None]:
        total, result = start, []
        for _ in range(241):
            total = 0.0 if dice.random() < 0.02 else total + dice.choice([0, 0, 1, 3, 10])
            result.append(None if dice.random() < 0.05 else total)
        return result

    for instance in ("a", "b1", "c"):
        for code in ("200", "500"):
            add(label_set("requests_total", instance=instance, code=code), counter(dice.choice([0, 5000])))
        add(label_set("queue", instance=instance, zone="z" + instance), [dice.randrange(12) for _ in range(241)])
        for bound, share in (("0.1", 1), ("0.5", 4), ("2.5", 8), ("+Inf", 9)):
            values = [float(index * share + (index * share) % 3) for index in range(241)]
            add(label_set("latency_seconds_bucket", instance=instance, le=bound), list(values))
    odd = [dice.choice([1.0, 4.0, math.nan, math.inf, -math.inf]) for _ in range(241)]
    add(label_set("odd", instance="a"), list(odd))
    gone = [STALE if index % 60 == 20 else None if index % 60 > 20 else float(index) for index in range(241)]
    add(label_set("gone", instance="a"), gone)
    add(label_set("jittered", instance="a"), counter(), jitter=9000)
    return series


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    binary = shutil.which("prometheus")
    if binary is None:
        pytest.skip("prometheus is not installed: apt-get install prometheus")
    folder = tmp_path_factory.mktemp("prometheus")
    (folder / "prometheus.yml").write_text("scrape_configs: []\n")
    log = folder / "log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [
                binary,
                f"--config.file={folder}/prometheus.yml",
                f"--storage.tsdb.path={folder}/data",
                "--web.listen-address=127.0.0.1:0",
                "--web.enable-remote-write-receiver",
                "--storage.tsdb.retention.time=100y",
            ],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        url = _wait_until_ready(server, log)
        _remote_write(url, make_series())
        yield url
    finally:
        server.kill()
        server.wait(timeout=30)


def _wait_until_ready(server: "subprocess.Popen[bytes]", log: Path) -> str:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert server.poll() is None, log.read_text()
        found = re.search(r'msg="Listening on" address=(127\.0\.0\.1:\d+)', log.read_text())
        if found:
            try:
                _get(f"http://{found[1]}/-/ready")
            except (urllib.error.URLError, ConnectionError):
                pass
            else:
                return f"http://{found[1]}"
        time.sleep(0.05)
    raise AssertionError(f"prometheus was not ready in time: {log.read_text()}")


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 (loopback)
        return bytes(answer.read())


def _varint(number: int) -> bytes:
    result = bytearray()
    while number > 0x7F:
        result.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*result, number])


def _field(number: int, body: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(body)) + body


def _remote_write(url: str, series: list[Series]) -> None:
    """The remote-write protocol: protobuf in snappy's framing (as literals, not compressed)."""
    message = b""
    for each in series:
        body = b"".join(_field(1, _field(1, n.encode()) + _field(2, v.encode())) for n, v in each.labels)
        for at, value in zip(each.times, each.values, strict=True):
            body += _field(2, b"\x09" + struct.pack("<d", value) + b"\x10" + _varint(int(at)))
        message += _field(1, body)
    packed = _varint(len(message))
    for start in range(0, len(message), 65536):
        part = message[start : start + 65536]
        packed += b"\xf4" + struct.pack("<H", len(part) - 1) + part
    request = urllib.request.Request(f"{url}/api/v1/write", data=packed, method="POST")  # noqa: S310 (loopback)
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        assert answer.status in (200, 204)


Answer = dict[tuple[LabelSet, int], float] | str


def ask_prometheus(url: str, query: str) -> Answer:
    form = urllib.parse.urlencode({"query": query, "start": START_S, "end": END_S, "step": STEP_S})
    try:
        document = json.loads(_get(f"{url}/api/v1/query_range?{form}"))
    except urllib.error.HTTPError as error:
        return f"error: {error.read().decode()}"
    return {
        (tuple(sorted(each["metric"].items())), int(at * 1000)): float(value)
        for each in document["data"]["result"]
        for at, value in each["values"]
    }


def ask_ours(query: str) -> Answer:
    evaluator = Evaluator(Samples(make_series()), compat=2)
    answers: dict[tuple[LabelSet, int], float] = {}
    for at in range(START_S * 1000, END_S * 1000 + 1, STEP_S * 1000):
        try:
            vector = evaluator.vector(query, at)
        except EvaluationError as error:
            return f"error: {error}"
        answers.update({(labels, at): value for labels, value in vector})
    return answers


@pytest.mark.parametrize("query", QUERIES)
def test_query_gives_what_prometheus_gives(prometheus: str, query: str) -> None:
    theirs, ours = ask_prometheus(prometheus, query), ask_ours(query)
    if isinstance(theirs, str) or isinstance(ours, str):
        pytest.fail(f"theirs: {theirs if isinstance(theirs, str) else len(theirs)}, ours: {ours!r:.300}")
    assert ours.keys() == theirs.keys()
    different = {
        key: (ours[key], value)
        for key, value in theirs.items()
        if not (math.isnan(value) and math.isnan(ours[key]))
        and not math.isclose(ours[key], value, rel_tol=1e-9, abs_tol=1e-12)
    }
    assert not different


@pytest.mark.parametrize(
    "query",
    [
        "queue / on (zone) requests_total",  # the right side is not unique
        "requests_total / on (instance) queue",  # several on the left, and not said so
        'label_replace(requests_total, "instance", "same", "instance", ".*")',
        'label_replace(queue, "1x", "a", "instance", ".*")',
        '{__name__=~"queue|odd"} + 1 + on (instance) {__name__=~"queue|odd"}',
    ],
)
def test_query_that_prometheus_refuses_is_refused(prometheus: str, query: str) -> None:
    assert isinstance(ask_prometheus(prometheus, query), str)
    assert isinstance(ask_ours(query), str)


def test_the_samples_arrived(prometheus: str) -> None:
    counted = ask_prometheus(prometheus, "count(queue)")
    assert isinstance(counted, dict)
    assert set(counted.values()) == {3.0}
