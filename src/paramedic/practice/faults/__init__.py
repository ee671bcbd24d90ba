"""The ways in which a practice engine can be broken: a module a fault, named as the fault."""

import importlib
import pkgutil

from paramedic.model.errors import UsageError
from paramedic.practice.fault import Fault


def fault_ids() -> list[str]:
    """Every known fault."""
    return sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(__path__))


def find_fault(id: str) -> Fault:  # noqa: A002 (a fault's id)
    """The fault of this id. Raises UsageError when there is none."""
    if id not in fault_ids():
        raise UsageError(f"unknown fault {id!r}: known are {', '.join(fault_ids())}")
    fault: Fault = importlib.import_module(f"{__name__}.{id.replace('-', '_')}").FAULT
    return fault


def all_faults() -> list[Fault]:
    return [find_fault(fault) for fault in fault_ids()]
