"""GPUs as the driver's library tells them: what it does not tell is left out."""

import ctypes
from typing import Any

from paramedic.adapters.recorder.gpu import NO_DRIVER, NOT_TOLD, Gpus

Pointer = Any


class Driver:
    """A library as the driver's: each function writes into the last argument and gives 0, or an error code."""

    def __init__(self, *, refuses: tuple[str, ...] = (), error: int = 0) -> None:
        self._refuses = refuses
        self._error = error

    def __getattr__(self, name: str) -> Any:
        if name.startswith("write_"):
            raise AttributeError(name)
        return lambda *arguments: self._call(name, *arguments)

    def _call(self, name: str, *arguments: Any) -> int:
        if name in self._refuses:
            return 3
        if name == "nvmlInit_v2":
            return self._error
        getattr(self, f"write_{name}", lambda *_: None)(*arguments)
        return 0

    def write_nvmlDeviceGetCount_v2(self, count: Pointer) -> None:  # noqa: N802 (the driver's name)
        count._obj.value = 1

    def write_nvmlDeviceGetName(self, _gpu: Any, buffer: Any, _size: Any) -> None:  # noqa: N802
        buffer.value = b"NVIDIA H100"

    def write_nvmlDeviceGetMemoryInfo(self, _gpu: Any, memory: Pointer) -> None:  # noqa: N802
        memory._obj.total, memory._obj.used = 80, 60

    def write_nvmlDeviceGetPowerUsage(self, _gpu: Any, power: Pointer) -> None:  # noqa: N802
        power._obj.value = 71_000

    def write_nvmlDeviceGetComputeRunningProcesses_v3(self, _gpu: Any, count: Pointer, found: Any) -> None:  # noqa: N802
        assert count._obj.value == len(found)
        count._obj.value = 2
        found[0].pid, found[0].used = 7, 50
        found[1].pid, found[1].used = 8, NOT_TOLD


def test_row() -> None:
    gpus = Gpus(load=Driver)
    (row,) = gpus.look(12.3456)
    assert (row["t"], row["gpu"]) == (12.346, 0)
    assert (row["used"], row["total"], row["power_mw"]) == (60, 80, 71_000)
    assert row["procs"] == [[7, 50]]
    assert gpus.names == ["NVIDIA H100"]
    assert not gpus.why_not


def test_what_is_not_told_is_left_out() -> None:
    gpus = Gpus(load=lambda: Driver(refuses=("nvmlDeviceGetPowerUsage", "nvmlDeviceGetComputeRunningProcesses_v3")))
    (row,) = gpus.look(1.0)
    assert {"power_mw", "procs"} & row.keys() == set()
    assert row["used"] == 60


def test_no_driver() -> None:
    def absent() -> None:
        raise OSError

    gpus = Gpus(load=absent)
    assert gpus.look(1.0) == []
    assert gpus.why_not == NO_DRIVER


def test_driver_that_fails() -> None:
    gpus = Gpus(load=lambda: Driver(error=9))
    assert gpus.look(1.0) == []
    assert gpus.why_not.en.endswith("answers with error 9")


def test_layout_is_the_drivers() -> None:
    """Of 64-bit processes: a pid, padding, bytes, two instance numbers."""
    from paramedic.adapters.recorder.gpu import _Process

    assert ctypes.sizeof(_Process) == 24
