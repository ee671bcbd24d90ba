"""What every scanner for literals does; results are the same with hyperscan and without."""

import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from paramedic.diagnosis.literals import HyperscanLiterals, Literals, PlainLiterals, literals_of

pytest.importorskip("hyperscan")
Make = Callable[..., Literals]
MAKERS = [HyperscanLiterals, PlainLiterals]


@pytest.fixture(params=MAKERS, ids=lambda maker: maker.__name__)
def make(request: pytest.FixtureRequest) -> Make:
    made: Make = request.param
    return made


@pytest.mark.parametrize(
    ("literals", "text", "found"),
    [
        ([b"out of memory"], b"", []),
        ([], b"out of memory", []),
        ([b"out of memory"], b"CUDA out of memory.", [(18, 0)]),
        ([b"Out of memory"], b"CUDA out of memory.", []),
        ([b"memory", b"of memory", b"y."], b"out of memory.", [(13, 0), (13, 1), (14, 2)]),
        ([b"a.c", b"(x|y)*", b"\\d"], b"abc a.c (x|y)* 5 \\d", [(7, 0), (14, 1), (19, 2)]),
        ([b"aa"], b"aaaa", [(2, 0), (3, 0), (4, 0)]),
        (["显存不足".encode()], "错误：显存不足！".encode(), [(21, 0)]),
        ([b"xy"], b"x\0xy", [(4, 0)]),
    ],
)
def test_all_places(make: Make, literals: Sequence[bytes], text: bytes, found: list[tuple[int, int]]) -> None:
    assert make(literals).find(text) == found


def test_a_seldom_one_is_told_once(make: Make) -> None:
    scanner = make([b"often", b"rare"], frozenset({0}))
    assert scanner.find(b"often often rare often rare") == [(5, 0), (16, 1), (27, 1)]
    assert scanner.find(b"often often") == [(5, 0)]


def test_threads_may_share_one(make: Make) -> None:
    """Two incidents are diagnosed at once; without order among them this ended the whole process."""
    literals = [f"the literal with the number {number:03d}".encode() for number in range(50)]
    block = b"\n".join(b"a line that holds " + literals[line % 50] for line in range(2_000))
    scanner = make(literals)
    right = scanner.find(block)
    with ThreadPoolExecutor(4) as pool:
        assert all(found == right for found in pool.map(scanner.find, [block] * 40))


def test_both_agree_on_anything() -> None:
    dice = random.Random(7)
    letters = b"ab c\n"
    for _ in range(50):
        literals = list({bytes(dice.choices(letters, k=dice.randint(1, 6))) for _ in range(20)})
        text = bytes(dice.choices(letters, k=3000))
        assert HyperscanLiterals(literals).find(text) == PlainLiterals(literals).find(text)


def test_without_hyperscan_there_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise ImportError

    monkeypatch.setattr(HyperscanLiterals, "__init__", refuse)
    literals_of.cache_clear()
    try:
        assert literals_of((b"memory",)).find(b"out of memory") == [(13, 0)]
    finally:
        literals_of.cache_clear()
