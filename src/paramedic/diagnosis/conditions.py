"""Comparisons as an author writes them in a fault: `kv_usage >= 90`, `running < max_num_seqs`."""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Value = float | str | bool
SENTENCE = re.compile(r"^\s*([a-z_][a-z0-9_]*)\s*(==|!=|>=|<=|>|<)\s*(\S.*?)\s*$")
OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison; `other` is a number, a truth value, a word, or the name of another value."""

    name: str
    operator: str
    other: Value

    def holds(self, values: Mapping[str, Value]) -> bool:
        """Whether it holds; a value that is not there makes it false, for absent is not zero."""
        left = values.get(self.name)
        right = values.get(self.other, self.other) if isinstance(self.other, str) else self.other
        if left is None:
            return False
        if self.operator in {"==", "!="}:
            return (_plain(left) == _plain(right)) is (self.operator == "==")
        if isinstance(left, str) or isinstance(right, str):
            return False
        return OPERATORS[self.operator](left, right)


def parse_comparison(text: str) -> Comparison:
    """Read one comparison; ValueError says how one is written."""
    found = SENTENCE.match(text)
    if not found:
        raise ValueError(f"{text!r} is not a comparison (write: name == value, name >= number, name < other_name)")
    return Comparison(found[1], found[2], read_value(found[3]))


def read_value(text: str) -> Value:
    """A number, a truth value, or else the bare word."""
    bare = text.strip("'\"")
    if bare.lower() in {"true", "false"}:
        return bare.lower() == "true"
    try:
        return float(bare)
    except ValueError:
        return bare


def _plain(value: Value) -> Value:
    return value.lower() if isinstance(value, str) else value
