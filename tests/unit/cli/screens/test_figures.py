"""How figures are written; what is not known is never a zero."""

import pytest

from paramedic.cli.screens import figures


@pytest.mark.parametrize("write", [figures.rate, figures.count, figures.share, figures.latency])
def test_absent_is_a_dash_and_zero_is_zero(write: object) -> None:
    assert callable(write)
    assert write(None) == "–"
    assert write(0.0).startswith("0")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0004, "0.4ms"),
        (0.0181, "18ms"),
        (0.0994, "99ms"),
        (0.0996, "0.10s"),
        (0.924, "0.92s"),
        (9.994, "9.99s"),
        (9.996, "10.0s"),
        (99.94, "99.9s"),
        (99.96, "100s"),
        (1842, "1842s"),
    ],
)
def test_latency(seconds: float, text: str) -> None:
    assert figures.latency(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1, "0s"), (59.9, "59s"), (60, "1m00s"), (3599, "59m59s"), (3600, "1h00m"), (86399, "23h59m"), (90000, "1d01h")],
)
def test_duration(seconds: float, text: str) -> None:
    assert figures.duration(seconds) == text


@pytest.mark.parametrize(("value", "text"), [(7.34, "7.3"), (99.96, "100.0"), (1842.3, "1,842"), (0, "0")])
def test_rate(value: float, text: str) -> None:
    assert figures.rate(value) == text


def test_a_moment_that_is_not_known_has_no_age() -> None:
    assert figures.between(0, 10**18) == "–"
    assert figures.between(10**18, 10**18 + 5 * 10**9) == "5s"


@pytest.mark.parametrize(("seconds", "text"), [(0, "+0.0s"), (0.31, "+0.3s"), (9.9, "+9.9s"), (41.7, "+41s")])
def test_since_the_first_event(seconds: float, text: str) -> None:
    assert figures.after(10**18, 10**18 + int(seconds * 1e9)) == text


@pytest.mark.parametrize(
    ("in_bytes", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (41_400, "41 kB"),
        (2_440_000, "2.4 MB"),
        (31e6, "31 MB"),
        (999_900_000, "1.0 GB"),
        (4.1e12, "4100 GB"),
    ],
)
def test_a_size(in_bytes: int, text: str) -> None:
    assert figures.size(in_bytes) == text
