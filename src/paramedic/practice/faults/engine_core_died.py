"""The engine core is killed, as the kernel's out-of-memory killer would do it: no word in the log says why."""

import os
import signal

from paramedic.model.errors import UsageError
from paramedic.model.text import Text
from paramedic.practice.faults import Patient

TITLE = Text("The engine core is killed", "引擎核心进程被杀死")
SUMMARY = Text(
    "SIGKILL to EngineCore: streams end with an error, /health says 503 for a second, the server exits with 0.",
    "对 EngineCore 发送 SIGKILL：流式请求以错误结束，/health 返回 503 约一秒，随后服务以退出码 0 结束。",
)


def inflict(patient: Patient) -> None:
    if patient.core_pid is None:
        raise UsageError("the engine core is not running: there is nothing to kill")
    os.kill(patient.core_pid, signal.SIGKILL)


def mend(patient: Patient) -> bool:
    return False  # nothing to undo: the server ends with it and is started again


def is_broken(patient: Patient) -> bool:
    return False
