"""The API server is killed: its engine core and workers live on as orphans and keep their memory."""

import signal

from paramedic.model.text import Text
from paramedic.practice.fault import Expected, Fault, Outcome, Patient


class ApiServerKilled(Fault):
    def inflict(self, patient: Patient, seconds: float) -> None:
        patient.running.signal_api_server(signal.SIGKILL)


FAULT = ApiServerKilled(
    id="api-server-killed",
    title=Text("The API server is killed", "API 服务进程被杀死"),
    summary=Text(
        "SIGKILL to the API server: nobody listens any more, EngineCore and its workers live on.",
        "对 API 服务发送 SIGKILL：端口无人监听，EngineCore 及其 worker 仍然存活。",
    ),
    expected=Expected(
        alert="engine-dead",
        cause="orphan-workers-hold-gpu",
        outcome=Outcome.RESTART,
        also=("api-server-killed",),
    ),
)
