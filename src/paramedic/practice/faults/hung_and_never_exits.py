"""The engine core stands still, and the API server does not end when it is told to: only SIGKILL ends it."""

from paramedic.model.text import Text
from paramedic.practice.fault import Expected, Fault, Outcome, Patient
from paramedic.practice.faults import engine_hung
from paramedic.practice.traffic import Crowd


class HungAndNeverExits(Fault):
    def inflict(self, patient: Patient, seconds: float) -> None:
        patient.running.wait_for_clients(True)
        patient.running.traffic.send(self.id, Crowd(clients=1, prompt_tokens=16, max_tokens=1500))
        engine_hung.FAULT.inflict(patient, seconds)

    def mend(self, patient: Patient) -> bool:
        broken = self.is_broken(patient)
        if broken and patient.engine is not None:
            patient.engine.wait_for_clients(False)
            patient.engine.traffic.send_away(self.id)
            engine_hung.FAULT.mend(patient)
        return broken

    def is_broken(self, patient: Patient) -> bool:
        return patient.engine is not None and patient.engine.traffic.is_there(self.id)


FAULT = HungAndNeverExits(
    id="hung-and-never-exits",
    title=Text("The engine stands still and SIGTERM does not end it", "引擎卡死且 SIGTERM 无法结束"),
    summary=Text(
        "As engine-hung, with a client that stays: told to stop, the API server waits for it until SIGKILL.",
        "与 engine-hung 相同，且有客户端一直不断开：收到停止信号后 API 服务一直等待，直到 SIGKILL。",
    ),
    expected=Expected(alert="engine-silent", cause="engine-hung", outcome=Outcome.RESTART),
)
