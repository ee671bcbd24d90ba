"""Lines of a log that lies elsewhere: the same as if all of it had been split at once, at the price of a block."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paramedic.diagnosis import lines as module
from paramedic.diagnosis.lines import LONGEST_LINE, Lines, Memory, lines_of


def split(text: bytes) -> list[str]:
    whole = text.decode(errors="replace").split("\n")
    return whole[:-1] if whole[-1] == "" else whole


@pytest.fixture(params=[7, 64, 1024])
def block(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(module, "BLOCK", request.param)
    return int(request.param)


@pytest.mark.parametrize("text", [b"", b"a", b"a\n", b"a\nb", b"\n\n", b"a\n\nb\n" * 40, "中文\n".encode() * 30])
def test_the_same_as_split(block: int, text: bytes) -> None:
    lines = Lines(Memory(text))
    assert list(lines) == split(text)
    assert len(lines) == len(split(text))
    assert [lines[index] for index in range(len(lines))] == split(text)
    assert [Lines(Memory(text))[index] for index in range(len(lines))] == split(text)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(alphabet="ab \u4e2d", max_size=30), max_size=30), st.integers(0, 40), st.integers(0, 40))
def test_any_part(texts: list[str], first: int, last: int) -> None:
    lines = lines_of(texts)
    assert list(lines[first:last]) == texts[first:last]
    assert list(lines[first:last][1:]) == texts[first:last][1:]
    assert len(lines[first:last]) == len(texts[first:last])


def test_last_line_by_its_number_from_the_end() -> None:
    lines = lines_of(["a", "b", "c"])
    assert lines[-1] == "c"
    with pytest.raises(IndexError):
        lines[3]


def test_a_line_end_within_a_line_is_a_blank() -> None:
    assert list(lines_of(["a\nb", "c"])) == ["a b", "c"]


def test_an_endless_line_keeps_its_begin_and_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK", 100)
    text = b"one\n" + b"x" * 300_000 + b"\nthree\n"
    lines = Lines(Memory(text))
    assert (len(lines), lines[0], lines[2]) == (3, "one", "three")
    assert lines[1] == "x" * LONGEST_LINE
    assert [block.first for block in lines.blocks()] == [0, 1, 2]
    assert [block.first for block in Lines(Memory(text)).blocks()] == [0, 1, 2]


def test_what_was_written_behind_a_hole_of_zeros_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK", 1000)
    lines = Lines(Memory(b"one\n" + b"\0" * 500_000 + b"two\nthree\n"))
    assert list(lines) == ["one", "two", "three"]
    assert list(Lines(Memory(b"\0" * 500_000 + b"two"))) == ["two"]


def test_a_large_text_is_counted_in_another_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGE", 1000)
    monkeypatch.setattr(module, "SMALL", 0)
    lines = Lines(Memory(b"a\n" * 3_000_000))
    assert next(lines.blocks()).number_at(300) == 150
    assert len(lines) == 3_000_000


def test_one_who_reads_in_order_may_look_elsewhere(block: int) -> None:
    text = b"a\n\nb\n" * 300
    lines = Lines(Memory(text))
    read = []
    for each in lines.blocks():
        assert lines[min(each.first + 2, 899)] == split(text)[min(each.first + 2, 899)]
        read += each.data[: each.size].decode().splitlines()
        assert each.number_at(each.size) == len(read)
    assert (read, len(lines), block > 0) == (split(text), 900, True)


def test_one_who_reads_in_order_may_look_back() -> None:
    text = [f"line {n}" for n in range(3000)]
    lines = Lines(Memory("\n".join(text).encode()))
    for each in lines.blocks():
        offset = 0
        for _ in range(50):
            number = each.number_at(offset)
            above = [number - n for n in (0, 1, 39, 40, 41, 200, 2999) if number >= n]
            assert [lines[at] for at in above] == [text[at] for at in above]
            offset = each.data.find(b"\n", offset + 300) + 1
    assert [lines[at] for at in (0, 2999, 1500)] == ["line 0", "line 2999", "line 1500"]


def test_pieces_of_a_block_keep_their_numbers() -> None:
    lines = Lines(Memory(b"one\ntwo\n" * 200))
    pieces = [piece for block in lines.blocks() for piece in block.pieces(100)]
    assert len(pieces) > 10
    assert b"".join(piece.data for piece in pieces) == b"one\ntwo\n" * 200
    assert [piece.first for piece in pieces] == [
        sum(before.data.count(b"\n") for before in pieces[:position]) for position in range(len(pieces))
    ]


class Shrinking(Memory):
    """A file that somebody empties while it is read."""

    def __init__(self, text: bytes) -> None:
        super().__init__(text)
        self.gone = False

    def at(self, offset: int, length: int) -> bytes:
        return b"" if self.gone else super().at(offset, length)


def test_a_text_that_vanishes_breaks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK", 10)
    source = Shrinking(b"a\nb\nc\n" * 20)
    lines = Lines(source)
    assert lines[8] == "c"
    source.gone = True
    assert lines[0] == "" or lines[0] == "a"
    assert len(lines) >= 9
