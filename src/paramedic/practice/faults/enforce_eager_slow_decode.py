"""Every step takes as long as without CUDA graphs, about five times a lone step; nothing stands still."""

from paramedic.model.text import Text
from paramedic.practice.fault import Expected, Fault, Outcome, Patient


class EagerSlowdown(Fault):
    def inflict(self, patient: Patient, seconds: float) -> None:
        patient.running.slow_down(True)

    def mend(self, patient: Patient) -> bool:
        broken = self.is_broken(patient)
        if broken and patient.engine is not None:
            patient.engine.slow_down(False)
        return broken

    def is_broken(self, patient: Patient) -> bool:
        return patient.engine is not None and patient.engine.slowed_down


FAULT = EagerSlowdown(
    id="enforce-eager-slow-decode",
    title=Text("Decoding is as slow as in eager mode", "解码慢如 eager 模式"),
    summary=Text(
        "Decode steps take as long as with --enforce-eager: tokens come more slowly, nothing fails.",
        "解码步耗时与 --enforce-eager 相同：token 变慢，但没有失败。",
    ),
    expected=Expected(alert=None, cause=None, outcome=Outcome.NOTHING),
)
