"""Comparisons hold only for what is there."""

import pytest

from paramedic.diagnosis.conditions import parse_comparison


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("kv >= 90", True),
        ("kv > 95", False),
        ("kv < limit", True),
        ("eager == true", True),
        ("dtype == FLOAT32", True),
        ("dtype != float32", False),
        ("absent == 0", False),
        ("absent < 5", False),
        ("kv < absent_too", False),
        ("dtype > 3", False),
    ],
)
def test_holds(text: str, holds: bool) -> None:
    assert parse_comparison(text).holds({"kv": 95.0, "limit": 100.0, "eager": True, "dtype": "float32"}) is holds


@pytest.mark.parametrize("text", ["kv", "kv >", "> 5", "kv => 5", ""])
def test_what_is_no_comparison_says_how_one_is_written(text: str) -> None:
    with pytest.raises(ValueError, match="write: name"):
        parse_comparison(text)
