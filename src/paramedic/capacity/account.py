"""The memory of one device as an account: its parts, what the KV cache holds, and how the last moment looked."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from paramedic.model.text import NO_WORDS, Text

Setting = float | str | bool
Settings = Mapping[str, Setting]  # how the server was started, by the names of vLLM's or SGLang's arguments
TOLERANCE = 0.02  # of the budget: the engine rounds each of its figures


class Known(StrEnum):
    """Where a figure comes from."""

    SAID = "said"  # by the engine, on that line
    COMPUTED = "computed"  # by us, `note` says from what
    UNKNOWN = "unknown"  # `note` says what would tell it


class Stage(StrEnum):
    """How far the server came."""

    UNKNOWN = "unknown"  # the log does not hold its start
    LOADING = "loading"
    PROFILING = "profiling"
    CAPTURING = "capturing"
    SERVING = "serving"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the memory, in GiB; None where it is not known, which is not zero."""

    id: str
    gib: float | None
    known: Known
    file: str = ""
    line: int = 0
    note: Text = NO_WORDS


@dataclass(frozen=True, slots=True)
class KvCache:
    """What the KV cache holds. `needed_gib` is what one request of `model_len` tokens takes."""

    tokens: int | None = None
    bytes_per_token: float | None = None
    model_len: int | None = None
    concurrency: float | None = None
    dtype_bytes: int | None = None
    needed_gib: float | None = None
    fitting_len: int | None = None


@dataclass(frozen=True, slots=True)
class OutOfMemory:
    """The last moment of an engine that found no memory: who held what, in GiB."""

    file: str
    line: int
    wanted: float
    total: float | None
    free: float | None
    process: float | None
    allocated: float | None
    unused: float | None
    neighbours: tuple[tuple[int, float], ...]  # pid, GiB


@dataclass(frozen=True, slots=True)
class Account:
    """The memory of one device of a server, added up. All sizes in GiB.

    `off_budget`: by how much the parts of the budget miss what the engine named; None where that cannot be told.
    """

    engine: str
    version: str
    on_cpu: bool
    stage: Stage
    rank: str
    ranks: int
    total: float | None
    free_at_start: float | None
    budget: float | None
    utilization: float | None
    parts: tuple[Part, ...]
    kv: KvCache
    off_budget: float | None
    out_of_memory: OutOfMemory | None = None

    def gib(self, name: str) -> float | None:
        """The size of a part, None where it is not known."""
        return next((part.gib for part in self.parts if part.id == name), None)

    @property
    def agrees(self) -> bool | None:
        """Whether the parts of the budget add up to it; None where that cannot be told."""
        if self.off_budget is None or not self.budget:
            return None
        return abs(self.off_budget) <= TOLERANCE * self.budget

    @property
    def lacks_kv(self) -> bool:
        """Whether the KV cache holds nothing, or less than one request of the full length."""
        size, needed, longest = self.gib("kv-cache"), self.kv.needed_gib, self.kv.model_len
        if self.kv.fitting_len is not None and longest is not None:
            return self.kv.fitting_len < longest
        return size is not None and (size <= 0 or (needed is not None and needed > size))
