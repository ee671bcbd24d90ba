"""The value of a PromQL expression at one moment, from stored samples: Prometheus's answers without Prometheus."""

import math
from collections.abc import Iterator, Sequence
from typing import Literal, Protocol

import numpy as np

from paramedic.model.sample import LabelSet
from paramedic.signals import promql
from paramedic.signals.expression import (
    Aggregate,
    Binary,
    Call,
    EvaluationError,
    Expression,
    Negate,
    Node,
    Number,
    Selector,
    String,
    Subquery,
    Window,
    value_type,
)
from paramedic.signals.functions import WINDOWED, binary, labels
from paramedic.signals.functions.aggregate import aggregate
from paramedic.signals.functions.histogram import histogram_quantile
from paramedic.signals.functions.over_time import OVER_TIME, quantile
from paramedic.signals.functions.rates import RATES, Range, predict_linear
from paramedic.signals.functions.vector import (
    Scalar,
    Vector,
    array_of,
    elementwise,
    nameless,
    scalar_of,
    sort,
    unique,
    without_name,
)
from paramedic.signals.series import Matcher, Series, is_stale
from paramedic.signals.vocabulary import Vocabulary

__all__ = ["EvaluationError", "Evaluator", "Samples", "Scalar", "Vector"]


class Samples(Protocol):
    """Where samples are read from."""

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Series]: ...


class Evaluator:
    """Evaluates expressions over stored samples.

    `lookback_ms`: how old the newest sample of an instant vector may be. `compat`: windows of Prometheus 3 are
    open on the left, those of Prometheus 2 closed.
    """

    def __init__(
        self,
        store: Samples,
        vocabulary: Vocabulary | None = None,
        lookback_ms: int = 300_000,
        compat: Literal[2, 3] = 3,
    ) -> None:
        self._store = store
        self._vocabulary = vocabulary or Vocabulary()
        self._lookback_ms = lookback_ms
        self._compat = compat

    def instant(self, expression: Expression | str, at_ms: int) -> Vector | Scalar:
        """The value at `at_ms` (UTC). Raises PromQLError (text that cannot be read) or EvaluationError."""
        expression = promql.parse(expression) if isinstance(expression, str) else expression
        query = _Query(self._store, self._vocabulary, self._lookback_ms, self._compat)
        if expression.type == "scalar":
            return query.scalar(expression.root, at_ms)
        if expression.type != "vector":
            raise EvaluationError(f"a {expression.type} has no single value: {expression.text}")
        return query.vector(expression.root, at_ms)

    def vector(self, expression: Expression | str, at_ms: int) -> Vector:
        """As `instant`; a scalar becomes a vector of one sample without labels."""
        result = self.instant(expression, at_ms)
        return [((), result)] if isinstance(result, float) else result

    def over(self, expression: Expression | str, start_ms: int, end_ms: int, step_ms: int) -> list[Series]:
        """The values at start_ms, a step later and so on up to end_ms, a series each. Raises as `instant`."""
        expression = promql.parse(expression) if isinstance(expression, str) else expression
        if expression.type not in ("scalar", "vector"):
            raise EvaluationError(f"a {expression.type} has no values: {expression.text}")
        query = _Query(self._store, self._vocabulary, self._lookback_ms, self._compat)
        return query.over(expression.root, range(start_ms, end_ms + 1, step_ms))


class _Query:
    """One evaluation; remembers what it has read, so that a subquery reads each series once."""

    def __init__(self, store: Samples, vocabulary: Vocabulary, lookback_ms: int, compat: Literal[2, 3]) -> None:
        self._store = store
        self._vocabulary = vocabulary
        self._lookback_ms = lookback_ms
        self._compat = compat
        self._steps: tuple[int, int] | None = None  # first and last evaluation of the subquery we are in
        self._read: dict[Selector, tuple[int, int, list[Series]]] = {}

    def scalar(self, node: Node, at_ms: int) -> Scalar:
        match node:
            case Number(value=value):
                return value
            case Negate(expr=expr):
                return -self.scalar(expr, at_ms)
            case Binary(op=op, lhs=lhs, rhs=rhs):
                return binary.scalars(op, self.scalar(lhs, at_ms), self.scalar(rhs, at_ms))
            case Call(name="time"):
                return at_ms / 1000
            case Call(name="scalar", args=args):
                return scalar_of(self.vector(args[0], at_ms))
        raise EvaluationError("a number was expected")

    def vector(self, node: Node, at_ms: int) -> Vector:
        match node:
            case Selector():
                return [(labels, value) for labels, value, _ in self._newest(node, at_ms)]
            case Negate(expr=expr):
                vector = self.vector(expr, at_ms)
                return nameless((labels for labels, _ in vector), -array_of(vector), "unary minus")
            case Aggregate(expr=expr, param=param):
                number = None if param is None else self.scalar(param, at_ms)
                return aggregate(node, self.vector(expr, at_ms), number)
            case Binary():
                return self._binary(node, at_ms)
            case Call(name=name) if name in WINDOWED:
                return self._windowed(node, at_ms)
            case Call():
                return self._call(node, at_ms)
        raise EvaluationError("a vector was expected")

    def _binary(self, node: Binary, at_ms: int) -> Vector:
        if value_type(node.rhs) == "scalar":
            return binary.vector_and_scalar(node, self.vector(node.lhs, at_ms), self.scalar(node.rhs, at_ms), False)
        if value_type(node.lhs) == "scalar":
            return binary.vector_and_scalar(node, self.vector(node.rhs, at_ms), self.scalar(node.lhs, at_ms), True)
        return binary.vectors(node, self.vector(node.lhs, at_ms), self.vector(node.rhs, at_ms))

    def _call(self, node: Call, at_ms: int) -> Vector:
        name, args = node.name, node.args
        match name:
            case "vector":
                return [((), self.scalar(args[0], at_ms))]
            case "timestamp" if isinstance(args[0], Selector):
                return [(without_name(each), time / 1000) for each, _, time in self._newest(args[0], at_ms)]
            case "timestamp":
                return [(without_name(each), at_ms / 1000) for each, _ in self.vector(args[0], at_ms)]
            case "absent":
                selector = args[0] if isinstance(args[0], Selector) else None
                return labels.absent(self.vector(args[0], at_ms), selector)
            case "absent_over_time":
                selector = args[0].selector if isinstance(args[0], Window) else None
                present: Vector = [(window_labels, 1.0) for window_labels, _ in self._ranges(args[0], at_ms)]
                return labels.absent(present, selector)
            case "histogram_quantile":
                return histogram_quantile(self.scalar(args[0], at_ms), self.vector(args[1], at_ms))
            case "label_replace" | "label_join":
                texts = [each.value for each in args[1:] if isinstance(each, String)]
                if name == "label_replace":
                    return labels.label_replace(self.vector(args[0], at_ms), *texts)
                return labels.label_join(self.vector(args[0], at_ms), texts[0], texts[1], texts[2:])
            case "sort" | "sort_desc":
                return sort(name, self.vector(args[0], at_ms))
        numbers = tuple(self.scalar(each, at_ms) for each in args[1:])
        return elementwise(name, self.vector(args[0], at_ms), numbers)

    def _windowed(self, node: Call, at_ms: int) -> Vector:
        name, args = node.name, node.args
        result: Vector = []
        matrix = args[1] if name == "quantile_over_time" else args[0]
        with np.errstate(all="ignore"):
            for window_labels, window in self._ranges(matrix, at_ms):
                value: float | None
                if name == "predict_linear":
                    value = predict_linear(window, self.scalar(args[1], at_ms))
                elif name == "quantile_over_time":
                    value = quantile(self.scalar(args[0], at_ms), window.values)
                elif name in OVER_TIME:
                    value = OVER_TIME[name](window.values)
                else:
                    value = RATES[name](window, self._compat)
                if value is not None:
                    kept = window_labels if name == "last_over_time" else without_name(window_labels)
                    result.append((kept, value))
        return unique(result, f"{name}()")

    def _newest(self, node: Selector, at_ms: int) -> Iterator[tuple[LabelSet, float, int]]:
        at = at_ms - node.offset_ms
        for series in self._series(node, at - self._lookback_ms, at, at_ms):
            if len(series.times) and not is_stale(series.values[-1:])[0]:
                yield series.labels, float(series.values[-1]), int(series.times[-1])

    def _ranges(self, node: Node, at_ms: int) -> Iterator[tuple[LabelSet, Range]]:
        if isinstance(node, Subquery):
            end = at_ms - node.offset_ms
            found = self._subquery(node, end)
        elif isinstance(node, Window):
            end = at_ms - node.selector.offset_ms
            found = self._series(node.selector, end - node.range_ms, end, at_ms)
        else:
            raise EvaluationError("a range was expected")
        for series in found:
            alive = ~is_stale(series.values)
            times, values = series.times, series.values
            if not alive.all():
                times, values = times[alive], values[alive]
            if len(times):
                yield series.labels, Range(times, values, end - node.range_ms, end, at_ms)

    def _subquery(self, node: Subquery, end: int) -> list[Series]:
        start = end - node.range_ms
        first = math.ceil(start / node.step_ms) * node.step_ms
        if self._compat == 3 and first == start:
            first += node.step_ms
        return self.over(node.expr, range(first, end + 1, node.step_ms))

    def over(self, node: Node, steps: range) -> list[Series]:
        """The values at each of these times; every series that is needed is read once."""
        if not steps:
            return []
        outer, self._steps = self._steps, self._steps or (steps[0], steps[-1])
        outer_read, self._read = self._read, {} if outer is None else self._read
        points: dict[LabelSet, tuple[list[int], list[float]]] = {}
        for at in steps:
            if value_type(node) == "scalar":
                vector: Vector = [((), self.scalar(node, at))]
            else:
                vector = self.vector(node, at)
            for each, value in vector:
                times, values = points.setdefault(each, ([], []))
                times.append(at)
                values.append(value)
        self._steps, self._read = outer, outer_read
        return [
            Series(each, np.array(times, dtype=np.int64), np.array(values, dtype=np.float64))
            for each, (times, values) in points.items()
        ]

    def _series(self, node: Selector, start: int, end: int, at_ms: int) -> list[Series]:
        """The samples in the window, its left edge open or closed as Prometheus has it."""
        start += self._compat == 3
        if self._steps is None:
            return self._fetch(node, start, end)
        first, last, known = self._read.get(node, (0, -1, []))
        if not first <= start <= end <= last:
            first = min(start, self._steps[0] - (at_ms - start))
            last = max(end, self._steps[1] - (at_ms - end))
            known = self._fetch(node, first, last)
            self._read[node] = first, last, known
        return [_cut(series, start, end) for series in known]

    def _fetch(self, node: Selector, start: int, end: int) -> list[Series]:
        return self._vocabulary.read(node.name, node.matchers, lambda wanted: self._store.select(wanted, start, end))


def _cut(series: Series, start: int, end: int) -> Series:
    low = int(np.searchsorted(series.times, start, "left"))
    high = int(np.searchsorted(series.times, end, "right"))
    return Series(series.labels, series.times[low:high], series.values[low:high])
