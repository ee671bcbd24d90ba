"""What we ask of the world: eight ports, each with a real adapter and a fake that passes the same contract suite."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from paramedic.journal.codec import Entry
from paramedic.journal.events import Event
from paramedic.model.sample import Scrape
from paramedic.model.target import EngineProcess, Exit, Target
from paramedic.model.text import NO_WORDS, Text
from paramedic.signals.series import Matcher, Series


class Clock(Protocol):
    """Time, as an argument for everybody else."""

    def now(self) -> int:
        """UTC nanoseconds."""

    def monotonic(self) -> float:
        """Seconds that never go back."""

    async def sleep(self, seconds: float) -> None: ...


class SampleStore(Protocol):
    """Samples by time; forgotten after a while. `last_error`: why they are not on the disk now, "" when they are."""

    @property
    def last_error(self) -> str: ...

    def append(self, scrape: Scrape) -> None:
        """Keep one scrape; a series of the source's last scrape that is missing now becomes stale."""

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Series]:
        """Every series that matches, with its samples in [start_ms, end_ms], oldest first, staleness markers kept."""

    def prune(self, now_ns: int) -> None:
        """Forget what is too old or too much."""

    def close(self) -> None: ...


class JournalStore(Protocol):
    """The append-only journal. What `append` has returned is on the disk, or counted by `unwritten`."""

    @property
    def unwritten(self) -> int:
        """Events that the disk refused and that wait in memory."""

    @property
    def trouble(self) -> str:
        """Why they wait."""

    def append(self, at: int, events: Sequence[tuple[Event, int | None]]) -> list[Entry]:
        """Write events (each with the sequence number of its reason), all or none, and give them their numbers.

        Without events: try again to write those that wait.
        """

    def read(self, after: int = 0) -> Iterator[Entry]:
        """Every entry with a number above `after`, in order."""

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Reply:
    """How an HTTP question was answered. `error` is "", "refused", "timeout", "reset" or a short text."""

    status: int | None = None
    error: str = ""
    body: bytes = b""
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        return self.status == 200


CanaryResult = Literal["token", "timeout", "refused", "paused", "unauthorised", "busy", "error"]


@dataclass(frozen=True, slots=True)
class Canary:
    """What a request for one token gave: `token` alone proves life.

    `paused`, `unauthorised` and `busy` (its queue is full) prove nothing either way.
    """

    result: CanaryResult
    seconds: float = 0.0
    detail: str = ""


class Probe(Protocol):
    """Questions to an engine over HTTP. Never raises for what a server may answer."""

    async def metrics(self, target: Target) -> Reply: ...

    async def health(self, target: Target) -> Reply: ...

    async def canary(self, target: Target, timeout_s: float) -> Canary:
        """Ask for one token (or one embedding, one rank) and wait at most `timeout_s`."""

    async def identify(self, url: str) -> tuple[str, str] | None:
        """(version, served model name) when an engine answers there; None otherwise."""

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Candidate:
    """A server that was found on this machine.

    One in another network (a container) is `apart`, the name of its place: `urls` may then lead to it from here, or to
    another server, or nowhere.
    """

    process: EngineProcess
    argv: tuple[str, ...]
    urls: tuple[str, ...]  # where it listens or will listen, likeliest first
    log: str = ""
    apart: str = ""
    unreadable: Text = NO_WORDS  # what of it the system does not let us read, and whom it would


class ProcessTable(Protocol):
    """The processes of this machine that belong to engines."""

    def find(self) -> list[Candidate]:
        """Every API server of an engine that is to be seen, whoever started it."""

    def tree(self, server: EngineProcess) -> list[EngineProcess] | None:
        """The API server and the engine's other processes, alive now; None: could not look."""

    def listens(self, server: EngineProcess, url: str) -> bool | None:
        """Whether a process of this engine listens at the port of `url`; None: could not see. Another server may."""

    def watch(self, process: EngineProcess) -> "ProcessWatch | None":
        """Be told of its end at once; None where the system cannot."""


class ProcessWatch(Protocol):
    """One process under watch."""

    async def ended(self) -> Exit:
        """Returns when the process has ended."""

    def cancel(self) -> None: ...


@dataclass(frozen=True, slots=True)
class LogChunk:
    """Lines that are new since the last look. `first_line` counts from 1 within `file`."""

    file: str
    first_line: int
    lines: tuple[str, ...]


class LogSource(Protocol):
    """The log of one engine."""

    def new_lines(self) -> LogChunk:
        """What came since the last call; whole lines only. Never raises: a log that cannot be read has no lines."""

    def tail(self, max_bytes: int) -> LogChunk:
        """The last lines of the current run, for a diagnosis."""

    def close(self) -> None:
        """Let go of the file."""


@dataclass(frozen=True, slots=True)
class Message:
    """One notification, ready for a person or a program."""

    delivery: str
    incident: str
    target: str
    occasion: str
    level: str
    title: str
    body: str
    facts: dict[str, object] = field(default_factory=dict)  # for machines: the webhook's payload


@dataclass(frozen=True, slots=True)
class Receipt:
    """Whether the other side took it; `retry` says whether another try can help."""

    ok: bool
    detail: str = ""
    retry: bool = True


class Notifier(Protocol):
    """A way to tell somebody. Never raises for what the other side may do."""

    async def deliver(self, message: Message) -> Receipt: ...


@dataclass(frozen=True, slots=True)
class StopReport:
    """How a run was ended: the signals that were needed, who was left, and what had been saved before."""

    steps: tuple[str, ...]
    survivors: tuple[int, ...] = ()


class Supervisor(Protocol):
    """Starts and ends the engines that are ours: one session, one process group, one log file a run."""

    async def start(self, target: Target, run: int) -> tuple[EngineProcess, str]:
        """Start the engine as it was first started; returns its API server and the path of its log."""

    async def stop(self, target: Target, server: EngineProcess, grace_s: float) -> StopReport:
        """SIGTERM to the group, SIGKILL after `grace_s` (0: at once), until the group and its orphans are gone."""

    async def save_stacks(self, target: Target, processes: Sequence[EngineProcess], run: int) -> str:
        """Python stacks, connections and GPU processes into a file; its path. Bounded in time; never raises."""

    def free_to_start(self, target: Target) -> str:
        """ "" when the port is free and nothing of the last run lives; else what is in the way."""

    def living_run(self, target: Target) -> tuple[EngineProcess, int, str] | None:
        """What lives of the newest run, also of one that nobody wrote down: its API server, its number, its log."""
