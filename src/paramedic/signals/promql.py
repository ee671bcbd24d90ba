"""PromQL text becomes a checked expression; what we cannot evaluate is refused with its reason."""

import difflib
import re
import warnings
from datetime import timedelta
from functools import lru_cache
from typing import Any

import promql_parser as grammar

from paramedic.model.errors import ParamedicError
from paramedic.signals.expression import (
    Aggregate,
    Binary,
    Call,
    Card,
    Expression,
    Matching,
    Negate,
    Node,
    Number,
    Selector,
    String,
    Subquery,
    Window,
    value_type,
)
from paramedic.signals.functions import FUNCTIONS
from paramedic.signals.functions.aggregate import AGGREGATIONS
from paramedic.signals.series import Matcher, MatchOp

DEFAULT_STEP_MS = 60_000  # of a subquery without a step: Prometheus's default evaluation interval

_CARDS: dict[str, Card] = {
    "OneToOne": "one-to-one",
    "ManyToOne": "many-to-one",
    "OneToMany": "one-to-many",
    "ManyToMany": "many-to-many",
}
_MATCH_OPS: dict[str, MatchOp] = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}
_ONLY_RE2 = re.compile(r"\[\[:|\\[pPzCQ]")  # Prometheus reads these in its own way; Python's re would not


class PromQLError(ParamedicError):
    """An expression that is wrong, or that Paramedic does not implement."""

    def __init__(self, expression: str, reason: str) -> None:
        self.expression = expression
        self.reason = reason
        super().__init__(f"{reason}, in the expression {' '.join(expression.split())!r}")


class _RefusedError(Exception):
    """The reason for which a part of the expression is refused."""


@lru_cache(maxsize=1024)
def parse(text: str) -> Expression:
    """Parse and check an expression once, for many evaluations. Raises PromQLError."""
    try:
        tree = grammar.parse(text)
    except ValueError as error:
        raise PromQLError(text, _explain(str(error))) from None
    names: set[str] = set()
    try:
        root = _convert(tree, names)
    except _RefusedError as refused:
        raise PromQLError(text, str(refused)) from None
    return Expression(text, root, value_type(root), tuple(sorted(names)))


def _explain(message: str) -> str:
    reason = " ".join(message.split())
    unknown = re.search(r"unknown function with name '(\w+)'", reason)
    if unknown:
        close = difflib.get_close_matches(unknown[1], [*FUNCTIONS, *AGGREGATIONS], n=1)
        reason += f" (did you mean {close[0]!r}?)" if close else ""
    return reason


def _convert(tree: Any, names: set[str]) -> Node:
    match type(tree).__name__:
        case "NumberLiteral":
            return Number(float(tree.val))
        case "StringLiteral":
            return String(tree.val)
        case "ParenExpr":
            return _convert(tree.expr, names)
        case "UnaryExpr":
            return Negate(_convert(tree.expr, names))
        case "VectorSelector":
            return _selector(tree, names)
        case "MatrixSelector":
            return Window(_selector(tree.vector_selector, names), _ms(tree.range))
        case "SubqueryExpr":
            _refuse_at(tree)
            step = _ms(tree.step) or DEFAULT_STEP_MS
            return Subquery(_convert(tree.expr, names), _ms(tree.range), step, _ms(tree.offset))
        case "Call":
            return _call(tree, names)
        case "AggregateExpr":
            return _aggregate(tree, names)
        case "BinaryExpr":
            return _binary(tree, names)
        case other:
            raise _RefusedError(f"{other} is not implemented")


def _ms(duration: timedelta | None) -> int:
    return 0 if duration is None else round(duration / timedelta(milliseconds=1))


def _refuse_at(tree: Any) -> None:
    if tree.at is not None:
        raise _RefusedError("the @ modifier is not implemented")


def _selector(tree: Any, names: set[str]) -> Selector:
    _refuse_at(tree)
    if tree.matchers.or_matchers:
        raise _RefusedError("'or' between label matchers is not implemented")
    name, matchers = tree.name or "", []
    for item in tree.matchers.matchers:
        op = _MATCH_OPS[str(item.op).rsplit(".", maxsplit=1)[-1]]
        if item.name == "__name__" and op == "=" and not name:
            name = item.value
            continue
        if op in ("=~", "!~"):
            check_regex(item.value)
        matchers.append(Matcher(item.name, op, item.value))
    if name:
        names.add(name)
    return Selector(name, tuple(matchers), _ms(tree.offset))


def check_regex(pattern: str) -> None:
    """Refuse a regular expression that Python would read in another way than Prometheus does."""
    if _ONLY_RE2.search(pattern):
        raise _RefusedError(f"the regular expression {pattern!r} uses syntax of RE2 that is not implemented")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            re.compile(pattern)
    except (re.error, FutureWarning) as error:
        raise _RefusedError(f"the regular expression {pattern!r} is not supported: {error}") from None


def _call(tree: Any, names: set[str]) -> Call:
    name = tree.func.name
    if name not in FUNCTIONS:
        raise _RefusedError(f"the function {name}() is not implemented")
    args = tuple(_convert(arg, names) for arg in tree.args)
    if name == "label_replace" and isinstance(args[4], String):
        check_regex(args[4].value)
    return Call(name, args)


def _aggregate(tree: Any, names: set[str]) -> Aggregate:
    op = str(tree.op)
    if op not in AGGREGATIONS:
        raise _RefusedError(f"the aggregation {op}() is not implemented")
    labels = frozenset(tree.modifier.labels if tree.modifier else ())
    without = tree.modifier is not None and str(tree.modifier.type).endswith("Without")
    param = None if tree.param is None else _convert(tree.param, names)
    return Aggregate(op, _convert(tree.expr, names), param, labels, without)


def _binary(tree: Any, names: set[str]) -> Binary:
    lhs, rhs = _convert(tree.lhs, names), _convert(tree.rhs, names)
    op, modifier = str(tree.op), tree.modifier
    return_bool = modifier is not None and bool(modifier.return_bool)
    if "scalar" in (value_type(lhs), value_type(rhs)):
        return Binary(op, lhs, rhs, None, return_bool)
    return Binary(op, lhs, rhs, _matching(op, modifier), return_bool)


def _matching(op: str, modifier: Any) -> Matching:
    if modifier is None:
        return Matching("many-to-many" if op in ("and", "or", "unless") else "one-to-one", False, frozenset())
    fill = modifier.fill_values
    if fill is not None and (fill.lhs is not None or fill.rhs is not None):
        raise _RefusedError("the fill modifier is not implemented")
    matching = modifier.matching
    on = matching is not None and str(matching.type).endswith("Include")
    card = _CARDS[str(modifier.card).rsplit(".", maxsplit=1)[-1]]
    return Matching(card, on, frozenset(matching.labels if matching else ()), tuple(modifier.group_labels or ()))
