"""A server that we watch, its processes, and the states it can be in."""

from dataclasses import dataclass
from enum import StrEnum

from paramedic.model.text import Text


class Mode(StrEnum):
    """How far Paramedic may go: only look, propose and wait for a person, or act by itself."""

    OBSERVE = "observe"
    ASK = "ask"
    ACT = "act"


class Origin(StrEnum):
    """How a target came to us."""

    STARTED = "started"
    FOUND = "found"
    CONFIGURED = "configured"


class EngineState(StrEnum):
    """What we know of an engine now. `knowledge` never guesses: without a look it is `unknown`."""

    UNKNOWN = "unknown"  # not looked yet, or could not look
    OUT_OF_REACH = "out_of_reach"  # its processes are seen, but nothing leads to it from our network
    STARTING = "starting"  # the process lives, nobody answers yet
    SERVING = "serving"  # it answers, and tokens move or there is no work
    SLEEPING = "sleeping"  # asleep or paused on purpose
    UNRESPONSIVE = "unresponsive"  # it lives but does not answer in time: busy or hung
    SILENT = "silent"  # work is present, no token moves, the canary failed
    DEAD = "dead"  # a process of the engine is gone, or it says so itself (503)
    DOWN = "down"  # nobody listens and no process is to be seen
    START_FAILED = "start_failed"  # it ended before it was ever ready
    START_STALLED = "start_stalled"  # starting, and nothing has moved for long
    STOPPED = "stopped"  # ended by a person, a service manager or us on request


class Role(StrEnum):
    """What a process of an engine does."""

    API_SERVER = "api-server"
    ENGINE_CORE = "engine-core"
    WORKER = "worker"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Target:
    """A server under our eyes. The name is stable across restarts of the engine."""

    name: str
    url: str  # http://host:port, no trailing slash; "" where nothing leads to it from here
    origin: Origin = Origin.CONFIGURED
    mode: Mode = Mode.OBSERVE
    engine: str = "vllm"  # the engine family; label `job`
    model: str = ""  # the served model name where known; label `model_name`
    log: str = ""  # path of its log where known

    @property
    def instance(self) -> str:
        """host:port, the Prometheus label `instance`."""
        return self.url.split("://", 1)[-1]


@dataclass(frozen=True, slots=True)
class EngineProcess:
    """One process of an engine; pid and start time together name it for ever."""

    pid: int
    started: float  # epoch seconds
    role: Role
    title: str = ""
    state: str = ""  # as in ps: R S D T Z
    cpu_seconds: float = 0.0  # user + system, so far


@dataclass(frozen=True, slots=True)
class Exit:
    """How a process ended. `code` is None where the system would not tell us (not our child)."""

    pid: int
    role: Role
    code: int | None = None
    signal: int | None = None

    @property
    def how(self) -> Text:
        if self.signal is not None:
            return Text(f"signal {self.signal}", f"信号 {self.signal}")
        if self.code is None:
            return Text("exit code unknown", "退出码未知")
        return Text(f"exit code {self.code}", f"退出码 {self.code}")

    def __str__(self) -> str:
        return self.how.en
