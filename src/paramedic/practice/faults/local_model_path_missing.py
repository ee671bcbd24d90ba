"""The model's folder is gone when the server starts again: it never will, until somebody puts the folder back."""

from paramedic.model.text import Text
from paramedic.practice.fault import Expected, Fault, Outcome, Patient, require_own_model
from paramedic.practice.model_folder import aside, own_model


class ModelMoved(Fault):
    def inflict(self, patient: Patient, seconds: float) -> None:
        require_own_model(patient)
        if patient.model.exists():
            patient.model.rename(aside(patient.model))
        patient.kill_core()

    def mend(self, patient: Patient) -> bool:
        broken = self.is_broken(patient)
        if broken:
            aside(patient.model).rename(patient.model)
        return broken

    def is_broken(self, patient: Patient) -> bool:
        ours = patient.model == own_model(patient.data_dir)
        return ours and not patient.model.exists() and aside(patient.model).exists()


FAULT = ModelMoved(
    id="local-model-path-missing",
    title=Text("The model folder is missing", "本地模型目录不存在"),
    summary=Text(
        "The model folder is moved aside and the engine core killed: every start fails until `practice mend`.",
        "移走模型目录并杀死引擎核心：每次启动都会失败，直到执行 `practice mend`。",
    ),
    expected=Expected(alert="start-failed", cause="local-model-path-missing", outcome=Outcome.HUMAN),
)
