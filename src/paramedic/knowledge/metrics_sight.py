"""Reading what the samples must show: conditions in PromQL, comparisons with other times, figures to tell."""

from collections.abc import Mapping
from typing import get_args

import promql_parser

from paramedic.diagnosis.conditions import parse_comparison
from paramedic.diagnosis.pattern import ARGUMENT, Compared, Load, MetricsSight, Than
from paramedic.knowledge.fields import Fields

Figures = Mapping[str, str]
THAN: tuple[Than, ...] = get_args(Than)


def read_metrics(fields: Fields, figures: Figures) -> MetricsSight | None:
    """The part of a sight that asks the samples, named figures filled in; mistakes are noted in its file."""
    sight = MetricsSight(
        tuple(_filled(text, figures) for text in fields.strings("metrics")),
        tuple(_compared(each, figures) for each in fields.items("compared")),
        fields.number("for", 0.0),
        _figures(fields.inner("figures"), figures),
        _as_written(fields, figures),
    )
    for expression in sight.expressions():
        if reason := mistake_in(expression):
            key = next((key for key in ("metrics", "compared") if key in fields), "figures")
            fields.wrong(key, f"{expression!r} is not PromQL: {reason}")
    return sight if sight.decisive() else None


def read_figures(fields: Fields) -> Figures:
    """Named figures, each filled with those above it."""
    found: dict[str, str] = {}
    for name in fields:
        found[name] = _filled(fields.string(name), found)
        if reason := mistake_in(found[name]):
            fields.wrong(name, f"{name} is not PromQL: {reason}")
    return found


def mistake_in(expression: str) -> str:
    """Why an expression is not PromQL, once every $name stands for a number; "" where it is."""
    try:
        promql_parser.parse(ARGUMENT.sub(lambda found: "10s" if found[1] == "window" else "1", expression))
    except ValueError as error:
        return str(error)
    return ""


def _as_written(fields: Fields, figures: Figures) -> dict[str, str]:
    """What the author wrote, by what it stands for."""
    values = [each.string("value") for each in fields.items("compared")]
    return {_filled(text, figures): text for text in (*fields.strings("metrics"), *values)}


def _filled(text: str, figures: Figures) -> str:
    """Figures in place of their names; what else has a $ is an argument of the engine, known when it is asked."""
    return ARGUMENT.sub(lambda found: f"({figures[found[1]]})" if found[1] in figures else found[0], text)


def _compared(fields: Fields, figures: Figures) -> Compared:
    fields.only("value", "times", "than", "loads", "lasting")
    said = fields.string("than") or "itself"
    than = next((each for each in THAN if each == said), None)
    if than is None:
        fields.wrong(
            "than", f"than cannot be {said!r}", "itself, earlier (its own history) or baseline (a recorded one)"
        )
    times = fields.string("times")
    try:
        comparison = parse_comparison(f"times {times}")
    except ValueError:
        comparison = parse_comparison("times >= 1")
    if not isinstance(comparison.other, float) or comparison.operator not in (">=", "<="):
        fields.wrong("times", f"times cannot be {times!r}", "write '>= 1.5' or '<= 0.5': how many times what it was")
    loads = tuple(Load(_filled(text, figures)) for text in fields.strings("loads"))
    by = comparison.other if isinstance(comparison.other, float) else 1.0
    value = _filled(fields.string("value"), figures)
    lasting = fields.number("lasting", 8.0)
    return Compared(value, by, comparison.operator == "<=", than or "itself", loads, lasting)


def _figures(fields: Fields | None, figures: Figures) -> dict[str, str]:
    return {} if fields is None else {name: _filled(fields.string(name), figures) for name in fields}
