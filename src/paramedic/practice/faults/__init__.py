"""The ways in which a practice engine can be broken: a module a fault, named as the cause that it shows."""

import importlib
import pkgutil
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from paramedic.model.errors import UsageError
from paramedic.model.text import Text


@dataclass(frozen=True, slots=True)
class Patient:
    """What a fault can lay hands on. Without an engine, `core_pid` is None."""

    core_pid: int | None
    model: Path
    data_dir: Path


class Fault(Protocol):
    """What the module of a fault offers."""

    TITLE: Text
    SUMMARY: Text

    def inflict(self, patient: Patient) -> None:
        """Break it. Raises UsageError when this engine must not be broken so."""

    def mend(self, patient: Patient) -> bool:
        """Undo it; whether there was something to undo."""

    def is_broken(self, patient: Patient) -> bool: ...


def fault_ids() -> list[str]:
    """Every known fault."""
    return sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(__path__))


def find_fault(id: str) -> Fault:  # noqa: A002 (a cause's id)
    """The fault of this id. Raises UsageError when there is none."""
    if id not in fault_ids():
        raise UsageError(f"unknown fault {id!r}: known are {', '.join(fault_ids())}")
    module: Fault = importlib.import_module(f"{__name__}.{id.replace('-', '_')}")
    return module
