"""Exposition text: what is read, what is dropped, what is counted as bad, and that the short way changes nothing."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paramedic.model.sample import LabelSet, label_set
from paramedic.signals.exposition import Parser

EXTRA = {"target": "qwen", "instance": "h:8000"}


def read(body: str, parser: Parser | None = None) -> dict[LabelSet, float]:
    exposition = (parser or Parser({})).parse(body.encode())
    return dict(zip(exposition.series, exposition.values, strict=True))


@pytest.mark.parametrize(
    ("line", "labels", "value"),
    [
        ("up 1", {}, 1),
        ("up{} +Inf", {}, math.inf),
        ("up\t-Inf", {}, -math.inf),
        ('up{a="b"}4e3', {"a": "b"}, 4000),
        ('  up { a = "b" , c="d", }  2 ', {"a": "b", "c": "d"}, 2),
        ('up{a="x } y",b="q\\"\\\\\\n"} 3', {"a": "x } y", "b": 'q"\\\n'}, 3),
        ('up{a="# {b} 1"} 3', {"a": "# {b} 1"}, 3),
        ('up{a="中文 空格"} 3', {"a": "中文 空格"}, 3),
        ("up 5 1700000000000", {}, 5),
        ('up{le="1"} 5 # {trace_id="ab c"} 0.5 1.2', {"le": "1"}, 5),
        ('up{a=""} 1', {}, 1),
        ("up 1\r", {}, 1),
    ],
)
def test_a_line(line: str, labels: dict[str, str], value: float) -> None:
    assert read(f"# TYPE up gauge\n{line}\n") == {label_set("up", labels): value}


def test_nan_is_a_value() -> None:
    assert math.isnan(read("up NaN\n")[label_set("up")])


@pytest.mark.parametrize(
    "line",
    [
        "up",
        "up{ 1",
        'up{a="b} 1',
        "up{a=b} 1",
        "1up 1",
        "up 1_0",
        "up one",
        'up{a="b" c="d"} 1',
        '{"up"} 1',
        "up 1 2 3",
    ],
)
def test_a_bad_line_is_counted_and_harms_no_other(line: str) -> None:
    parser = Parser({})
    for _ in range(2):
        exposition = parser.parse(f"first 1\n{line}\nlast 2\n".encode())
        assert exposition.bad_lines == 1
        assert exposition.series == [label_set("first"), label_set("last")]
        assert exposition.values == [1, 2]


def test_empty_lines_and_indented_comments_are_nothing() -> None:
    exposition = Parser({}).parse(b"\n  \n\t\r\n  # a comment\nup 1\n \n")
    assert (exposition.series, exposition.values, exposition.bad_lines) == ([label_set("up")], [1], 0)


def test_a_series_given_twice_counts_once() -> None:
    parser = Parser({})
    for _ in range(2):
        exposition = parser.parse(b"up 1\nup 2\n")
        assert (exposition.values, exposition.bad_lines) == ([1], 1)


def test_labels_of_the_target_are_added_and_its_own_are_kept_beside() -> None:
    body = 'up{instance="inner"} 1\nup{target="qwen"} 2\n'
    assert read(body, Parser(EXTRA)) == {
        label_set("up", EXTRA, exported_instance="inner"): 1,
        label_set("up", EXTRA): 2,
    }


def test_created_series_are_dropped() -> None:
    parser = Parser({})
    for value in (1, 2):
        assert read(f"a_total {value}\na_created 1.7e9\nb 3\n", parser) == {
            label_set("a_total"): value,
            label_set("b"): 3,
        }


def test_types_are_told() -> None:
    body = b"# HELP a TYPE b\n# TYPE a_total counter\n# TYPE b histogram\na_total 1\n"
    assert Parser({}).parse(body).types == {"a_total": "counter", "b": "histogram"}


def test_an_unchanged_target_gives_the_same_list_of_series() -> None:
    parser = Parser(EXTRA)
    first = parser.parse(b'a{b="c"} 1\nd 2\n')
    second = parser.parse(b'a{b="c"} 3\nd 4\n')
    assert second.series is first.series
    assert second.values == [3, 4]
    assert first.values == [1, 2]
    assert parser.parse(b"d 4\n").series == [label_set("d", EXTRA)]


def test_limits() -> None:
    body = "".join(f"m{number} {number}\n" for number in range(100)).encode()
    few = Parser({}, max_series=10).parse(body)
    assert (len(few.series), few.over_limit, few.bad_lines) == (10, 90, 0)
    short = Parser({}, max_bytes=len(body) // 2).parse(body)
    assert 0 < len(short.series) < 100
    assert len(short.series) + short.over_limit == 100
    assert short.bad_lines == 0


@pytest.mark.parametrize("body", [b"", b"\n\n", b" ", b"\xff\xfe\x00", b"<html>not found</html>", b'up{a="\xff"} 1\n'])
def test_nonsense_is_read_without_a_crash(body: bytes) -> None:
    exposition = Parser(EXTRA).parse(body)
    assert len(exposition.series) == len(exposition.values)


@given(st.lists(st.binary(max_size=40), max_size=8))
@settings(deadline=None)
def test_any_bytes_are_read_without_a_crash(lines: list[bytes]) -> None:
    parser = Parser({})
    body = b"\n".join(lines)
    first, second = parser.parse(body), parser.parse(body)
    assert first.series == second.series
    assert first.bad_lines == second.bad_lines


LABEL_VALUES = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SAMPLES = st.dictionaries(
    st.tuples(st.sampled_from(["up", "queue", "a:b"]), st.dictionaries(st.sampled_from("abc"), LABEL_VALUES).map(
        lambda labels: tuple(sorted(labels.items())))),
    st.floats(allow_nan=False),
    max_size=6,
)  # fmt: skip


def escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def write(samples: dict[tuple[str, tuple[tuple[str, str], ...]], float]) -> bytes:
    lines = []
    for (name, labels), value in samples.items():
        inside = ",".join(f'{key}="{escaped(text)}"' for key, text in labels)
        lines.append(f"{name}{{{inside}}} {value!r}")
    return ("\n".join(lines) + "\n").encode()


@given(st.lists(SAMPLES, min_size=1, max_size=4))
@settings(deadline=None)
def test_what_is_written_is_read_again_whatever_came_before(
    scrapes: list[dict[tuple[str, tuple[tuple[str, str], ...]], float]],
) -> None:
    parser = Parser({})
    for samples in scrapes:
        expected: dict[LabelSet, float] = {}
        for (name, labels), value in samples.items():
            expected.setdefault(label_set(name, dict(labels)), value)
        exposition = parser.parse(write(samples))
        assert dict(zip(exposition.series, exposition.values, strict=True)) == expected
        assert exposition.bad_lines == len(samples) - len(expected)
