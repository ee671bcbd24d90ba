"""What an engine says of its memory while it starts and when it runs out of it, in the words of many versions."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from paramedic.capacity.sayings import figures_in


@dataclass(frozen=True, slots=True)
class Message:
    """One line of a log, unwrapped. `tag` is the process that wrote it and `level` as the logger names it, "" where
    the line does not say.
    """

    file: str
    line: int
    text: str
    tag: str = ""
    level: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that the engine said, and where. Sizes are GiB (engines that write GB count in 1024s too)."""

    value: float
    file: str
    line: int


@dataclass(slots=True)
class Start:
    """One start of a server: what each of its processes said, and how it was started."""

    engine: str = ""
    version: str = ""
    on_cpu: bool = False
    has_begun_to_load: bool = False
    has_served: bool = False
    opening: list[str] = field(default_factory=list)  # the lines that name its arguments
    said: dict[str, dict[str, list[Figure]]] = field(default_factory=dict)  # tag -> what -> figures, oldest first

    def all(self, what: str) -> list[Figure]:
        """Everything that any of its processes said of this."""
        return [figure for figures in self.said.values() for figure in figures.get(what, ())]

    def of_all(self, tag: str, what: str) -> list[Figure]:
        """Everything that this process said of it, oldest first."""
        return self.said.get(tag, {}).get(what, [])

    def ranks(self) -> list[str]:
        """The tags of the processes that hold memory of a device of their own."""
        holding = sorted(tag for tag, figures in self.said.items() if not _HOLDING.isdisjoint(figures))
        return [tag for tag in holding if tag] or holding

    def of_rank(self, tag: str) -> Mapping[str, Figure]:
        """The last word on everything, where this process is asked before the others."""
        last: dict[str, Figure] = {}
        for process in (*self.said.values(), self.said.get(tag, {})):
            last |= {what: figures[-1] for what, figures in process.items()}
        return last


OPENINGS = ("API server version", "non-default args:", "args: Namespace(", "server_args=ServerArgs(", "LLM engine (v")
_HOLDING = frozenset({"weights", "weight_set", "kv", "kv_set", "kv_reserved", "k", "activations", "peak"})
_BESIDES = frozenset({"batched_tokens", "model_len", "checkpoint"})  # said also where memory is not spoken of
_VERSION = re.compile(
    r"(?:LLM engine \(v|vLLM (?:API )?server version )(\d+\.\d+\.\d+[\w.+-]*)|[▄█].*version (\d+\.\d+\.\S+)"
)
_WORTH_A_LOOK = re.compile(
    r"[KMGT]i?B\b|[bB]locks|tokens|args|LLM engine|version \d|KVCACHE_SPACE|[Ll]oad|startup complete|fired up"
)
_LITERALS = tuple(  # every line that is worth a look holds one of them: a plain search is fast
    b"iB|GB|MB|KB|TB|locks|tokens|args|LLM engine|version |KVCACHE_SPACE|oad|startup complete|fired up".split(b"|")
)
_WORTH_A_LOOK_IN_BYTES = re.compile(_WORTH_A_LOOK.pattern.encode())
_LOADING = re.compile(
    r"[Ss]tarting to load model|Loading model from scratch|\bload_model\b|Load weight begin|to load model"
)
_SERVING = re.compile(r"Application startup complete|fired up and ready|generation throughput|gen throughput")
_ERROR = re.compile(r"OutOfMemory|out of memory", re.IGNORECASE)
_TOLD = frozenset({"DEBUG", "INFO", "WARNING"})  # an error is logged as one, or printed without a level
_ON_CPU = re.compile(r"GiB for KV cache on node|VLLM_CPU_KVCACHE_SPACE|\bCPU KV cache size|device_config=cpu\b")
_RANK = re.compile(r"\b(?:DP\d+ )?(?:TP|PP)\d+(?: (?:TP|PP|EP)\d+)*(?=\])")


def says_something(line: str) -> bool:
    """Whether a raw line may say something of memory; nearly all lines do not, and need not be unwrapped."""
    return _WORTH_A_LOOK.search(line) is not None


def lines_worth_a_look(block: bytes) -> Iterator[tuple[int, bytes]]:
    """The few such lines of a block, each with its number in it, from 0; the others are not even split."""
    begins: set[int] = set()
    for literal in _LITERALS:
        at = block.find(literal)
        while at >= 0:
            begins.add(block.rfind(b"\n", 0, at) + 1)
            end = block.find(b"\n", at)
            at = block.find(literal, end) if end >= 0 else -1
    number = before = 0
    for begin in sorted(begins):
        end = block.find(b"\n", begin)
        line = block[begin : len(block) if end < 0 else end]
        number += block.count(b"\n", before, begin)
        before = begin
        if _WORTH_A_LOOK_IN_BYTES.search(line):
            yield number, line


def read_starts(messages: Iterable[Message]) -> list[Start]:
    """The starts of a server that said something of its memory, oldest first; other lines cost next to nothing."""
    starts = [Start()]
    for message in messages:
        if not says_something(message.text) or message.text.startswith("Received request "):
            continue
        if any(opening in message.text for opening in OPENINGS):
            if starts[-1].said and "LLM engine" not in message.text:
                starts.append(Start())
            starts[-1].opening.append(message.text)
        _note(starts[-1], message)
    return [start for start in starts if any(not _BESIDES.issuperset(figures) for figures in start.said.values())]


def _note(start: Start, message: Message) -> None:
    _note_kind(start, message.text)
    rank = _RANK.search(message.text[:80])
    tag = rank[0] if rank else message.tag
    is_error = message.level not in _TOLD and _ERROR.search(message.text) is not None
    for what, value in figures_in(message.text, is_error=is_error):
        figure = Figure(value, message.file, message.line)
        start.said.setdefault(tag, {}).setdefault(what, []).append(figure)


def _note_kind(start: Start, text: str) -> None:
    """Whose start it is, and how far it came."""
    if version := _VERSION.search(text):
        start.version = version[1] or version[2]
        start.engine = "vLLM"
    if "ServerArgs(" in text or "Load weight end" in text:
        start.engine = "SGLang"
    start.on_cpu = start.on_cpu or _ON_CPU.search(text) is not None
    start.has_begun_to_load = start.has_begun_to_load or _LOADING.search(text) is not None
    start.has_served = start.has_served or _SERVING.search(text) is not None
