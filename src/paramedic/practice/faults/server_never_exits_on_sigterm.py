"""Somebody sends SIGTERM while a stream is open: the engine is gone, the API server waits for its client for ever."""

import signal

from paramedic.model.text import Text
from paramedic.practice.fault import Expected, Fault, Outcome, Patient
from paramedic.practice.traffic import Crowd


class NeverExits(Fault):
    def inflict(self, patient: Patient, seconds: float) -> None:
        patient.running.wait_for_clients(True)
        patient.running.traffic.send(self.id, Crowd(clients=1, prompt_tokens=16, max_tokens=1500))
        patient.running.signal_api_server(signal.SIGTERM)


FAULT = NeverExits(
    id="server-never-exits-on-sigterm",
    title=Text("The server does not end after SIGTERM", "收到 SIGTERM 后服务不退出"),
    summary=Text(
        "SIGTERM under an open stream: the engine is killed, the port is closed, the API server stays until SIGKILL.",
        "在有流式请求时发送 SIGTERM：引擎被杀死，端口关闭，API 服务进程直到 SIGKILL 才结束。",
    ),
    # somebody has stopped it: that is no incident, and nobody may start it again
    expected=Expected(alert=None, cause=None, outcome=Outcome.NOTHING),
)
