"""Lines measured in terminal cells."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from paramedic.cli.screens.layout import clean, line, line_and_rest, padded, shortened, wrapped

WORDS = st.text(st.sampled_from("abc 重启，。（x-9\t"), max_size=60)


@given(WORDS, st.integers(12, 50))
def test_wrapping_loses_nothing_and_stays_within_the_width(text: str, width: int) -> None:
    lines = wrapped(text, width, "  ")
    assert "".join("".join(lines).split()) == "".join(text.split())
    long_word = max((cell_len(word) for word in text.split()), default=0) + 4
    assert all(cell_len(one) <= max(width, long_word) for one in lines)


def test_chinese_breaks_anywhere_but_no_line_begins_with_a_closing_mark() -> None:
    lines = wrapped("引擎已死，所有请求都会失败。", 12, "")
    assert lines == ["引擎已死，所", "有请求都会失", "败。"]


@given(st.text(st.sampled_from("abc重启@:0"), max_size=60), st.integers(5, 40))
def test_a_shortened_name_fits_and_keeps_its_end(name: str, width: int) -> None:
    short = shortened(name, width)
    assert cell_len(short) <= width
    assert short == name or ("…" in short and name.endswith(short.split("…")[1]))


def test_the_address_of_a_long_name_stays() -> None:
    assert shortened("Qwen3-VL-235B-A22B-Instruct@10.0.0.12:8200", 30).endswith("@10.0.0.12:8200")


def test_padding_counts_cells() -> None:
    assert padded("服务", 6) == "服务  "
    assert padded("服务", 6, right=True) == "  服务"
    assert padded("longer", 3) == "longer"


@pytest.mark.parametrize("text", ["\x1b[2J", "a\rb", "a\nb", "\x9b31m", "a\u202eb", "\x07", "\u2028"])
def test_a_servers_log_cannot_steer_the_terminal(text: str) -> None:
    for shown in (clean(text), line(text, (text, "bold")).plain):
        assert not any(ord(character) < 32 or 0x7F <= ord(character) < 0xA0 for character in shown)
        assert "\u202e" not in shown


def test_what_does_not_fit_gets_a_line_of_its_own() -> None:
    assert [one.plain for one in line_and_rest(20, "    ", ("head",), ("rest",))] == ["head  rest"]
    assert [one.plain for one in line_and_rest(8, "    ", ("head",), ("rest",))] == ["head", "    rest"]
    assert [one.plain for one in line_and_rest(8, "    ", ("head",), ("",))] == ["head"]
