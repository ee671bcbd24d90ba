"""A checked PromQL expression as a tree: everything in it can be evaluated."""

from dataclasses import dataclass
from typing import Literal

from paramedic.model.errors import CouldNotTell
from paramedic.signals.series import Matcher

ValueType = Literal["scalar", "vector", "matrix", "string"]
Card = Literal["one-to-one", "many-to-one", "one-to-many", "many-to-many"]


class EvaluationError(CouldNotTell):
    """A query that can be read has no answer for these series, such as many-to-many matching."""


@dataclass(frozen=True, slots=True)
class Number:
    """A literal number."""

    value: float


@dataclass(frozen=True, slots=True)
class String:
    """A literal string, only as an argument."""

    value: str


@dataclass(frozen=True, slots=True)
class Selector:
    """An instant vector: the newest sample of each series that matches. Milliseconds."""

    name: str  # "" where only labels select
    matchers: tuple[Matcher, ...]  # without the one on the name
    offset_ms: int = 0


@dataclass(frozen=True, slots=True)
class Window:
    """A range vector: the samples of the last `range_ms` of each series."""

    selector: Selector
    range_ms: int


@dataclass(frozen=True, slots=True)
class Subquery:
    """A range vector made by evaluating an expression at every step."""

    expr: "Node"
    range_ms: int
    step_ms: int
    offset_ms: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments."""

    name: str
    args: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Aggregate:
    """An aggregation; `without` says how `labels` are meant."""

    op: str
    expr: "Node"
    param: "Node | None"
    labels: frozenset[str]
    without: bool


@dataclass(frozen=True, slots=True)
class Matching:
    """How the two sides of a binary operation find each other."""

    card: Card
    on: bool  # else ignoring
    labels: frozenset[str]
    include: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Binary:
    """An operation on two values; `matching` is None unless both are vectors."""

    op: str
    lhs: "Node"
    rhs: "Node"
    matching: Matching | None = None
    return_bool: bool = False


@dataclass(frozen=True, slots=True)
class Negate:
    """Unary minus."""

    expr: "Node"


Node = Number | String | Selector | Window | Subquery | Call | Aggregate | Binary | Negate


@dataclass(frozen=True, slots=True)
class Expression:
    """PromQL as the user wrote it, and its checked tree."""

    text: str
    root: Node
    type: ValueType
    names: tuple[str, ...]  # every metric name that it reads, sorted


SCALAR_FUNCTIONS = frozenset({"time", "scalar"})


def value_type(node: Node) -> ValueType:
    """What evaluating the node gives."""
    match node:
        case Number():
            return "scalar"
        case String():
            return "string"
        case Window() | Subquery():
            return "matrix"
        case Call(name=name):
            return "scalar" if name in SCALAR_FUNCTIONS else "vector"
        case Negate(expr=expr):
            return value_type(expr)
        case Binary(lhs=lhs, rhs=rhs):
            both = value_type(lhs) == "scalar" and value_type(rhs) == "scalar"
            return "scalar" if both else "vector"
        case Selector() | Aggregate():
            return "vector"
