"""The engine core is killed, as the kernel's out-of-memory killer would do it: no word in the log says why."""

import os
import signal

from paramedic.model.text import Text
from paramedic.practice.fault import Expected, Fault, Outcome, Patient


class CoreKilled(Fault):
    def inflict(self, patient: Patient, seconds: float) -> None:
        if core := patient.running.core_pid:
            os.kill(core, signal.SIGKILL)


FAULT = CoreKilled(
    id="engine-core-died",
    title=Text("The engine core is killed", "引擎核心进程被杀死"),
    summary=Text(
        "SIGKILL to EngineCore: streams end with an error, /health says 503 for a second, the server exits with 0.",
        "对 EngineCore 发送 SIGKILL：流式请求以错误结束，/health 返回 503 约一秒，随后服务以退出码 0 结束。",
    ),
    expected=Expected(alert="engine-dead", cause="engine-core-died", outcome=Outcome.RESTART),
)
