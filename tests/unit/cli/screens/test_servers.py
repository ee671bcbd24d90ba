"""The table of servers says what it does not know, and what to do about it, within the width."""

import pytest
from rich.cells import cell_len

from paramedic.cli.screens.board import lines, plain
from paramedic.model.target import EngineState, Mode
from paramedic.model.text import Language, Text
from paramedic.pipeline.board import Board, TargetRow
from paramedic.signals.liveness import _NO_WAY

CLOSED = Text(
    "could not read the sockets and the log of pid 4711 (owned by llm): run as that user or root",
    "无法读取进程 4711（属于 llm）的套接字和日志：请以该用户或 root 运行",
)
APART = TargetRow(
    "qwen@container-3f2a91c0b7d1", "", "qwen", EngineState.OUT_OF_REACH, 10**18, _NO_WAY, Mode.OBSERVE, False, 1, 9, "",
    unreadable=CLOSED,
)  # fmt: skip
BOARD = Board(10**18 + 90 * 10**9, "0.1.0", 1, (APART,), (), (), (), ())


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("en", ("out of reach", "give --target http://HOST:PORT", "run as that user or root", "Not judged yet.")),
        ("zh", ("无法访问", "请用 --target http://主机:端口 指定", "请以该用户或 root 运行", "尚未判断。")),
    ],
)
def test_what_is_out_of_reach_is_neither_well_nor_down(lang: Language, words: tuple[str, ...]) -> None:
    shown = plain(BOARD, lang)
    assert all(word in shown for word in words)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_advice_is_wrapped_and_never_cut(lang: Language) -> None:
    narrow = [line.plain for line in lines(BOARD, lang, 80)]
    assert all(cell_len(line) <= 80 for line in narrow)
    whole = "".join("".join(narrow).split())
    for text in (_NO_WAY, CLOSED):
        assert "".join(text.in_language(lang).split()) in whole
