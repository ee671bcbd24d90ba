"""One worker of the engine is killed: its engine core says so and ends, and the server with it."""

import os
import signal

from paramedic.model.text import Text
from paramedic.practice.fault import Expected, Fault, Outcome, Patient


class WorkerKilled(Fault):
    def inflict(self, patient: Patient, seconds: float) -> None:
        os.kill(patient.running.worker_pids[-1], signal.SIGKILL)


FAULT = WorkerKilled(
    id="worker-killed",
    title=Text("A worker is killed", "一个 worker 进程被杀死"),
    summary=Text(
        "SIGKILL to the last worker: the engine core writes that it died and ends, then as with a killed core.",
        "对最后一个 worker 发送 SIGKILL：引擎核心记录其死亡并退出，随后与核心被杀死相同。",
    ),
    expected=Expected(alert="engine-dead", cause="engine-core-died", outcome=Outcome.RESTART),
)
