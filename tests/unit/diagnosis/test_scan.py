"""The lines that hold anchors are told with their numbers; a flood of one anchor does not hold up the others."""

import pytest

from paramedic.diagnosis import scan as module
from paramedic.diagnosis.lines import Lines, Memory, lines_of
from paramedic.diagnosis.scan import Anchors, Spot
from paramedic.diagnosis.template import compile_template

OOM, DEAD = compile_template("CUDA out of memory"), compile_template("EngineDeadError")


def spots(text: bytes, done: frozenset[str] = frozenset()) -> list[Spot[str]]:
    anchors = Anchors([(OOM, "oom"), (DEAD, "dead"), (DEAD, "fallout")])
    return list(anchors.spots(Lines(Memory(text)), lambda items: done.issuperset(items)))


def test_where_and_what() -> None:
    text = b"x\nRuntimeError: CUDA out of memory\n\nEngineDeadError after CUDA out of memory\nEngineDeadError"
    assert [(spot.index, spot.raw, sorted(spot.items)) for spot in spots(text)] == [
        (1, "RuntimeError: CUDA out of memory", ["oom"]),
        (3, "EngineDeadError after CUDA out of memory", ["dead", "fallout", "oom"]),
        (4, "EngineDeadError", ["dead", "fallout"]),
    ]
    assert spots(b"") == []


def test_who_is_done_with_a_message_is_not_told_of_it() -> None:
    text = b"CUDA out of memory\nEngineDeadError\n"
    assert [spot.index for spot in spots(text, frozenset({"oom"}))] == [1]


def test_an_anchor_across_a_line_end_is_none() -> None:
    assert spots(b"CUDA out of\nmemory\nEngineDead\nError\n") == []


@pytest.mark.parametrize("lines", [10, 3_000])
def test_numbers_are_right_in_every_block(lines: int) -> None:
    text = b"".join(b"EngineDeadError\n" if n % 7 == 3 else b"quiet %d\n" % n for n in range(lines))
    assert [spot.index for spot in spots(text)] == [n for n in range(lines) if n % 7 == 3]


def test_a_flood_is_thinned_and_the_rest_is_still_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FLOOD", 1_000)
    flood = b"EngineDeadError\n" * 200_000
    text = (
        flood
        + b"CUDA out of memory\n"
        + flood
        + b"CUDA out of memory\n"
        + b"quiet\n" * 1_000_000
        + b"EngineDeadError\n"
    )
    found = spots(text)
    assert [spot.index for spot in found if "oom" in spot.items] == [200_000, 400_001]
    dead = [spot for spot in found if "dead" in spot.items]
    assert 1_000 < len(dead) < 50_000
    assert all(spot.raw == "EngineDeadError" for spot in dead)
    assert dead[-1].index == 1_400_002


def test_lines_of_a_list_are_searched_as_a_file_is() -> None:
    anchors = Anchors([(OOM, "oom")])
    assert [spot.index for spot in anchors.spots(lines_of(["a", "CUDA out of memory"]), lambda _: False)] == [1]
