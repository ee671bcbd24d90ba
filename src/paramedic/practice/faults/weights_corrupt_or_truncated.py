"""The weight file is cut in half, as an interrupted download leaves it: the loader refuses it at the next start."""

from paramedic.model.text import Text
from paramedic.practice import weights
from paramedic.practice.fault import Expected, Fault, Outcome, Patient, require_own_model
from paramedic.practice.model_folder import own_model


class WeightsTruncated(Fault):
    def inflict(self, patient: Patient, seconds: float) -> None:
        require_own_model(patient)
        if not self.is_broken(patient):
            weights.truncate(patient.model)
        patient.kill_core()

    def mend(self, patient: Patient) -> bool:
        broken = self.is_broken(patient)
        if broken:
            weights.make(patient.model)
        return broken

    def is_broken(self, patient: Patient) -> bool:
        ours = patient.model == own_model(patient.data_dir)
        return ours and patient.model.is_dir() and bool(weights.damage(patient.model))


FAULT = WeightsTruncated(
    id="weights-corrupt-or-truncated",
    title=Text("The weight file is incomplete", "权重文件不完整"),
    summary=Text(
        "The weight file is cut in half and the engine core killed: every start fails until `practice mend`.",
        "截断权重文件并杀死引擎核心：每次启动都会失败，直到执行 `practice mend`。",
    ),
    expected=Expected(alert="start-failed", cause="weights-corrupt-or-truncated", outcome=Outcome.HUMAN),
)
