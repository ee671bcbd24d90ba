"""Which expressions are taken, and that the others are refused with their reason."""

import pytest

from paramedic.signals.expression import Call, Selector, Subquery, Window
from paramedic.signals.promql import PromQLError, parse
from paramedic.signals.series import Matcher


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("up @ 1", "the @ modifier is not implemented"),
        ("rate(up[5m] @ start())", "the @ modifier is not implemented"),
        ("max_over_time(up[5m:1m] @ 3)", "the @ modifier is not implemented"),
        ("sin(up)", "the function sin() is not implemented"),
        ('count_values("a", up)', "the aggregation count_values() is not implemented"),
        ('up{a="b" or c="d"}', "'or' between label matchers is not implemented"),
        ("a + fill(0) b", "the fill modifier is not implemented"),
        ('up{a=~"[[:alpha:]]+"}', "uses syntax of RE2 that is not implemented"),
        ('up{a=~"\\\\pL"}', "uses syntax of RE2 that is not implemented"),
        ('label_replace(up, "a", "", "b", "(")', "is not supported"),
        ("rat(up[5m])", "did you mean 'rate'?"),
        ("rate(up)", "expected type matrix"),
        ("up >", ""),
        ("", ""),
    ],
)
def test_refused_with_expression_and_reason(text: str, reason: str) -> None:
    with pytest.raises(PromQLError) as refused:
        parse(text)
    assert reason in str(refused.value)
    assert repr(text) in str(refused.value)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("1 + 2", "scalar"),
        ("time()", "scalar"),
        ("up", "vector"),
        ("up > 1", "vector"),
        ("up[5m]", "matrix"),
        ('"a"', "string"),
    ],
)
def test_type_is_known(text: str, kind: str) -> None:
    assert parse(text).type == kind


def test_every_metric_name_is_known() -> None:
    expression = parse('sum(rate(b_total[5m])) / on () a > scalar({__name__="c"}) and {x="y"}')
    assert expression.names == ("a", "b_total", "c")


def test_tree() -> None:
    root = parse('rate(up{a!="b"}[5m] offset 90s)').root
    assert root == Call("rate", (Window(Selector("up", (Matcher("a", "!=", "b"),), 90_000), 300_000),))
    inner = parse("max_over_time(up[1h:])").root
    assert inner == Call("max_over_time", (Subquery(Selector("up", ()), 3_600_000, 60_000),))
