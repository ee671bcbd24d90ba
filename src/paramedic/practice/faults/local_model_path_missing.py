"""The model's folder is gone when the server starts again: it never will, until somebody puts the folder back."""

from paramedic.model.errors import UsageError
from paramedic.model.text import Text
from paramedic.practice.faults import Patient, engine_core_died
from paramedic.practice.model_folder import aside, own_model

TITLE = Text("The model folder is missing", "本地模型目录不存在")
SUMMARY = Text(
    "The model folder is moved aside and the engine core killed: every start fails until `practice mend`.",
    "移走模型目录并杀死引擎核心：每次启动都会失败，直到执行 `practice mend`。",
)


def inflict(patient: Patient) -> None:
    if patient.model != own_model(patient.data_dir):
        raise UsageError(
            f"this engine serves {patient.model}, a folder of yours: it will not be moved. "
            "Start one without MODEL_DIR: `paramedic practice serve`"
        )
    if patient.model.exists():
        patient.model.rename(aside(patient.model))
    if patient.core_pid is not None:
        engine_core_died.inflict(patient)


def mend(patient: Patient) -> bool:
    broken = is_broken(patient)
    if broken:
        aside(patient.model).rename(patient.model)
    return broken


def is_broken(patient: Patient) -> bool:
    return patient.model == own_model(patient.data_dir) and not patient.model.exists() and aside(patient.model).exists()
