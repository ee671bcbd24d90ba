"""Another program takes the port as soon as it is free: every start fails until it goes."""

from paramedic.model.errors import UsageError
from paramedic.model.text import Text
from paramedic.practice import squatter, troubles
from paramedic.practice.fault import Expected, Fault, Outcome, Patient
from paramedic.practice.troubles import Stage, Trouble


class PortTaken(Fault):
    def inflict(self, patient: Patient, seconds: float) -> None:
        if patient.port is None:
            raise UsageError("name the engine with --port")
        troubles.put(patient.data_dir, patient.port, Trouble(self.id, Stage.NEVER))
        squatter.start(patient.data_dir, patient.port, self.id)
        patient.kill_core()

    def mend(self, patient: Patient) -> bool:
        return troubles.take_away(patient.data_dir, patient.port, self.id)

    def is_broken(self, patient: Patient) -> bool:
        return troubles.is_there(patient.data_dir, patient.port, self.id)


FAULT = PortTaken(
    id="port-in-use-api",
    title=Text("Another program takes the port", "端口被其他程序占用"),
    summary=Text(
        "The engine core is killed and another program takes the port: every start fails until `practice mend`.",
        "杀死引擎核心，另一个程序抢占端口：每次启动都会失败，直到执行 `practice mend`。",
    ),
    # a watcher that looks before it starts an engine never meets the failed start
    expected=Expected(alert="engine-dead", cause="engine-core-died", outcome=Outcome.HUMAN),
)
