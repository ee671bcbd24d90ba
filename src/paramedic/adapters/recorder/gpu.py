"""The GPUs of this machine as the driver's library tells them: load, memory, clocks, power, and whose memory it is."""

import ctypes
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from paramedic.model.text import NO_WORDS, Text

LIBRARY = "libnvidia-ml.so.1"
PROCESSES = 64  # of one GPU
SM_CLOCK, TEMPERATURE, UNCORRECTED, SINCE_LOADED = 1, 0, 1, 0  # as the library numbers them
NO_DRIVER = Text("the NVIDIA driver's library is not on this machine", "本机没有 NVIDIA 驱动库")
NONE_SHOWN = Text("the driver shows none to this user", "驱动没有向当前用户显示任何 GPU")


class _Utilization(ctypes.Structure):
    _fields_ = (("gpu", ctypes.c_uint), ("memory", ctypes.c_uint))


class _Memory(ctypes.Structure):
    _fields_ = (("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong))


class _Process(ctypes.Structure):
    _fields_ = (
        ("pid", ctypes.c_uint),
        ("used", ctypes.c_ulonglong),
        ("gpu_instance", ctypes.c_uint),
        ("compute_instance", ctypes.c_uint),
    )


NOT_TOLD = ctypes.c_ulonglong(-1).value

Row = dict[str, Any]


def _load() -> Any:
    return ctypes.CDLL(LIBRARY)


@dataclass(slots=True)
class Gpus:
    """`look` gives a row for each GPU; none where there is no driver, and `why_not` then says so."""

    load: Callable[[], Any] = _load
    why_not: Text = NO_WORDS
    names: list[str] = field(default_factory=list)
    driver: str = ""
    _library: Any = None
    _handles: list[ctypes.c_void_p] = field(default_factory=list)
    _begun: bool = False

    def look(self, at: float) -> list[Row]:
        """One look at `at` (epoch seconds). What a GPU does not tell is left out, never 0."""
        if not self._begun:
            self._begin()
        return [{"t": round(at, 3), "gpu": number, **self._row(handle)} for number, handle in enumerate(self._handles)]

    def _begin(self) -> None:
        self._begun = True
        try:
            library = self.load()
        except OSError:
            self.why_not = NO_DRIVER
            return
        if code := library.nvmlInit_v2():
            self.why_not = Text(f"the NVIDIA driver answers with error {code}", f"NVIDIA 驱动返回错误 {code}")
            return
        self._library = library
        count = ctypes.c_uint()
        self._ask("nvmlDeviceGetCount_v2", count)
        for number in range(count.value):
            handle = ctypes.c_void_p()
            if self._ask("nvmlDeviceGetHandleByIndex_v2", handle, ctypes.c_uint(number)):
                self._handles.append(handle)
                self.names.append(self._text("nvmlDeviceGetName", handle))
        self.driver = self._text("nvmlSystemGetDriverVersion")
        if not self._handles:
            self.why_not = NONE_SHOWN

    def _ask(self, function: str, answer: Any, *before: Any) -> bool:
        """Call `function(*before, &answer)`; whether it succeeded."""
        call = getattr(self._library, function, None)
        return call is not None and call(*before, ctypes.byref(answer)) == 0

    def _text(self, function: str, *before: Any) -> str:
        buffer = ctypes.create_string_buffer(96)
        call = getattr(self._library, function, None)
        told = call is not None and call(*before, buffer, ctypes.c_uint(96)) == 0
        return buffer.value.decode(errors="replace") if told else ""

    def _row(self, handle: ctypes.c_void_p) -> Row:
        row: Row = {}
        load = _Utilization()
        if self._ask("nvmlDeviceGetUtilizationRates", load, handle):
            row |= {"util": load.gpu, "mem_util": load.memory}
        memory = _Memory()
        if self._ask("nvmlDeviceGetMemoryInfo", memory, handle):
            row |= {"used": memory.used, "total": memory.total}
        for name, function, answer, before in (
            ("temp", "nvmlDeviceGetTemperature", ctypes.c_uint(), (handle, ctypes.c_int(TEMPERATURE))),
            ("power_mw", "nvmlDeviceGetPowerUsage", ctypes.c_uint(), (handle,)),
            ("sm_mhz", "nvmlDeviceGetClockInfo", ctypes.c_uint(), (handle, ctypes.c_int(SM_CLOCK))),
            ("throttle", "nvmlDeviceGetCurrentClocksThrottleReasons", ctypes.c_ulonglong(), (handle,)),
            (
                "ecc_unc",
                "nvmlDeviceGetTotalEccErrors",
                ctypes.c_ulonglong(),
                (handle, ctypes.c_int(UNCORRECTED), ctypes.c_int(SINCE_LOADED)),
            ),
        ):
            if self._ask(function, answer, *before):
                row[name] = answer.value
        processes = self._processes(handle)
        return row if processes is None else {**row, "procs": processes}

    def _processes(self, handle: ctypes.c_void_p) -> list[list[int]] | None:
        """[pid, bytes] of each process that computes there; None where the driver does not say.

        In a container it may tell the process and not its memory: that one is left out.
        """
        count = ctypes.c_uint(PROCESSES)
        found = (_Process * PROCESSES)()
        call = getattr(self._library, "nvmlDeviceGetComputeRunningProcesses_v3", None)
        if call is None or call(handle, ctypes.byref(count), found) != 0:
            return None
        return [[one.pid, one.used] for one in found[: count.value] if one.used != NOT_TOLD]
