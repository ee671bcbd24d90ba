"""The engine core stands still: the API answers as ever, no token moves, nothing is written to the log."""

import os
import signal

import psutil

from paramedic.model.errors import UsageError
from paramedic.model.text import Text
from paramedic.practice.faults import Patient

TITLE = Text("The engine core stands still", "引擎核心进程卡死")
SUMMARY = Text(
    "SIGSTOP to EngineCore: /health stays 200, every figure of /metrics is frozen, requests hang.",
    "对 EngineCore 发送 SIGSTOP：/health 仍返回 200，/metrics 的数值全部冻结，请求一直挂起。",
)


def inflict(patient: Patient) -> None:
    if patient.core_pid is None:
        raise UsageError("the engine core is not running: there is nothing to stop")
    os.kill(patient.core_pid, signal.SIGSTOP)


def mend(patient: Patient) -> bool:
    broken = is_broken(patient)
    if broken and patient.core_pid is not None:
        os.kill(patient.core_pid, signal.SIGCONT)
    return broken


def is_broken(patient: Patient) -> bool:
    if patient.core_pid is None:
        return False
    try:
        return psutil.Process(patient.core_pid).status() == psutil.STATUS_STOPPED
    except psutil.NoSuchProcess:
        return False
