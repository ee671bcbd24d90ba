"""What a fault of a practice engine is: its words, what a watcher must make of it, how it is done and undone."""

import os
import signal
from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from paramedic.model.errors import UsageError
from paramedic.model.text import Text
from paramedic.practice.model_folder import own_model
from paramedic.practice.traffic import Traffic


class Outcome(StrEnum):
    """What a watcher that may act must come to."""

    RESTART = "restart"  # a restart cures it, and is done
    HUMAN = "human"  # no restart helps: a person is called
    NOTHING = "nothing"  # it is no fault of the engine, or goes by itself: nobody may touch the engine


@dataclass(frozen=True, slots=True)
class Expected:
    """What a watcher will see: the alert rule that fires, the cause ranked first (None: none may), the outcome.

    The causes in `also` are right too, beside it or in its place.
    """

    alert: str | None
    cause: str | None
    outcome: Outcome
    also: tuple[str, ...] = ()


class Engine(Protocol):
    """What a fault can do to a running engine."""

    traffic: Traffic

    @property
    def core_pid(self) -> int | None: ...

    @property
    def worker_pids(self) -> list[int]: ...

    @property
    def metrics_delay(self) -> float: ...

    def delay_metrics(self, seconds: float) -> None:
        """Let /metrics take so long from now on."""

    @property
    def slowed_down(self) -> bool: ...

    def slow_down(self, eager: bool) -> None:
        """Let every decode step take as long as in eager mode, or no longer."""

    def tell_core(self, message: dict[str, object]) -> None:
        """Tell every engine core, which obeys between two steps."""

    @property
    def waits_for_clients(self) -> bool: ...

    def wait_for_clients(self, waits: bool) -> None:
        """Let the server, told to stop, wait for its open streams for ever, or no longer."""

    def signal_api_server(self, number: int) -> None:
        """Send the API server a signal once this command is answered."""


@dataclass(frozen=True, slots=True)
class Patient:
    """What a fault can lay hands on. Without a running engine `engine` is None; `port` None stands for any."""

    data_dir: Path
    model: Path
    port: int | None = None
    engine: Engine | None = None

    @property
    def running(self) -> Engine:
        """The engine; raises UsageError where none runs."""
        if self.engine is None or self.engine.core_pid is None:
            raise UsageError("the engine core is not running: there is nothing to break")
        return self.engine

    def kill_core(self) -> None:
        """So that the server ends, and whoever looks after it starts it again."""
        if self.engine is not None and self.engine.core_pid is not None:
            os.kill(self.engine.core_pid, signal.SIGKILL)


@dataclass(frozen=True, slots=True)
class Fault(ABC):
    """A way in which a practice engine can be broken. There is nothing to undo, unless the kind of fault says so."""

    id: str
    title: Text
    summary: Text
    expected: Expected
    seconds: float = 0.0  # how long it lasts or takes, where one can say; the default of `--seconds`

    @abstractmethod
    def inflict(self, patient: Patient, seconds: float) -> None:
        """Break it. Raises UsageError when this engine must not be broken so."""

    def mend(self, patient: Patient) -> bool:
        """Undo it; whether there was something to undo."""
        return False

    def is_broken(self, patient: Patient) -> bool:
        return False


def require_own_model(patient: Patient) -> None:
    """Raises UsageError for an engine that serves a folder of the user's: we lay no hand on it."""
    if patient.model != own_model(patient.data_dir):
        raise UsageError(
            f"this engine serves {patient.model}, a folder of yours: it will not be touched. "
            "Start one without MODEL_DIR: `paramedic practice serve`"
        )
