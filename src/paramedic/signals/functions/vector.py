"""What an instant vector is, and the functions that take one sample after the other."""

import math
from collections.abc import Callable, Iterable

import numpy as np

from paramedic.model.sample import LabelSet
from paramedic.signals.expression import EvaluationError
from paramedic.signals.series import Values

Vector = list[tuple[LabelSet, float]]
Scalar = float
Array = Callable[[Values], Values]


def array_of(vector: Vector) -> Values:
    """The values of a vector."""
    return np.array([value for _, value in vector], dtype=np.float64)


def without_name(labels: LabelSet) -> LabelSet:
    """The labels of a result that is no longer the metric itself."""
    if labels and labels[0][0] == "__name__":  # sorts before every lower-case label
        return labels[1:]
    return tuple(pair for pair in labels if pair[0] != "__name__")


def unique(vector: Vector, what: str) -> Vector:
    """The vector itself; raises EvaluationError when two of its samples have the same labels."""
    if len({labels for labels, _ in vector}) != len(vector):
        raise EvaluationError(f"{what} gives two samples with the same labels")
    return vector


def nameless(labels: Iterable[LabelSet], values: Values, what: str) -> Vector:
    """A result without metric names."""
    return unique([(without_name(each), float(value)) for each, value in zip(labels, values, strict=True)], what)


def _round_half_up(values: Values, to: float) -> Values:
    inverse = 1.0 / np.float64(to)
    return np.asarray(np.floor(values * inverse + 0.5) / inverse)


ELEMENTWISE: dict[str, Array] = {
    "abs": np.abs,
    "ceil": np.ceil,
    "exp": np.exp,
    "floor": np.floor,
    "ln": np.log,
    "log10": np.log10,
    "log2": np.log2,
    "sgn": np.sign,
    "sqrt": np.sqrt,
}


def elementwise(name: str, vector: Vector, numbers: tuple[float, ...]) -> Vector:
    """abs(), clamp(), round() and the like."""
    values = array_of(vector)
    with np.errstate(all="ignore"):
        if name in ELEMENTWISE:
            result = ELEMENTWISE[name](values)
        elif name == "round":
            result = _round_half_up(values, numbers[0] if numbers else 1.0)
        elif name == "clamp_min":
            result = np.maximum(values, numbers[0])
        elif name == "clamp_max":
            result = np.minimum(values, numbers[0])
        else:
            low, high = numbers
            if low > high:
                return []
            result = np.maximum(low, np.minimum(high, values))
    return nameless((labels for labels, _ in vector), result, f"{name}()")


def scalar_of(vector: Vector) -> Scalar:
    """The value of the only sample, else NaN."""
    return vector[0][1] if len(vector) == 1 else math.nan


def sort(name: str, vector: Vector) -> Vector:
    """By value; NaN comes last."""
    sign = -1.0 if name == "sort_desc" else 1.0
    return sorted(vector, key=lambda item: (math.isnan(item[1]), sign * item[1]))
