"""The engine core stands still: the API answers as ever, no token moves, nothing is written to the log."""

import os
import signal

import psutil

from paramedic.model.text import Text
from paramedic.practice.fault import Expected, Fault, Outcome, Patient


class CoreStopped(Fault):
    def inflict(self, patient: Patient, seconds: float) -> None:
        if core := patient.running.core_pid:
            os.kill(core, signal.SIGSTOP)

    def mend(self, patient: Patient) -> bool:
        broken = self.is_broken(patient)
        if broken and patient.engine is not None and patient.engine.core_pid is not None:
            os.kill(patient.engine.core_pid, signal.SIGCONT)
        return broken

    def is_broken(self, patient: Patient) -> bool:
        if patient.engine is None or patient.engine.core_pid is None:
            return False
        try:
            return psutil.Process(patient.engine.core_pid).status() == psutil.STATUS_STOPPED
        except psutil.NoSuchProcess:
            return False


FAULT = CoreStopped(
    id="engine-hung",
    title=Text("The engine core stands still", "引擎核心进程卡死"),
    summary=Text(
        "SIGSTOP to EngineCore: /health stays 200, every figure of /metrics is frozen, requests hang.",
        "对 EngineCore 发送 SIGSTOP：/health 仍返回 200，/metrics 的数值全部冻结，请求一直挂起。",
    ),
    expected=Expected(alert="engine-silent", cause="engine-hung", outcome=Outcome.RESTART),
)
