"""Labelled series of numbers over time, and the matchers that pick them."""

import re
import struct
import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from paramedic.model.sample import LabelSet

Times = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]
MatchOp = Literal["=", "!=", "=~", "!~"]

STALE_BITS = 0x7FF0000000000002  # Prometheus's marker: "this series has ended", unlike an ordinary NaN
STALE: float = struct.unpack("<d", struct.pack("<Q", STALE_BITS))[0]


def is_stale(values: Values) -> npt.NDArray[np.bool_]:
    """Which of the values are staleness markers; an ordinary NaN is none."""
    marked: npt.NDArray[np.bool_] = np.ascontiguousarray(values).view(np.uint64) == STALE_BITS
    return marked


@lru_cache(maxsize=1024)
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.DOTALL)


@dataclass(frozen=True, slots=True)
class Matcher:
    """A condition on one label; a label that a series has not counts as the empty string."""

    name: str
    op: MatchOp
    value: str

    def matches(self, labels: LabelSet) -> bool:
        """Whether the label set satisfies this condition; regular expressions match the whole value."""
        found = ""
        for name, value in labels:
            if name == self.name:
                found = value
                break
        if self.op == "=":
            return found == self.value
        if self.op == "!=":
            return found != self.value
        return (_pattern(self.value).fullmatch(found) is not None) is (self.op == "=~")


@dataclass(frozen=True, slots=True)
class Series:
    """One label set with its samples: times in UTC milliseconds, ascending, and as many values."""

    labels: LabelSet
    times: Times
    values: Values


def fingerprint(labels: LabelSet) -> str:
    """Eight hexadecimal digits that stand for a label set, the same in every process."""
    text = "\xff".join(f"{name}\xfe{value}" for name, value in labels)
    return f"{zlib.crc32(text.encode('utf-8', 'surrogatepass')):08x}"
