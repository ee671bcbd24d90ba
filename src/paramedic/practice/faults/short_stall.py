"""The engine core stands still for a moment and goes on by itself, as over a long step or a slow disk."""

from paramedic.model.text import Text
from paramedic.practice.fault import Expected, Fault, Outcome, Patient


class ShortStall(Fault):
    def inflict(self, patient: Patient, seconds: float) -> None:
        patient.running.tell_core({"stall": seconds})


FAULT = ShortStall(
    id="short-stall",
    title=Text("A short stall", "短暂停顿"),
    summary=Text(
        "No token moves for some seconds (--seconds), then everything goes on: nobody may touch the engine.",
        "若干秒（--seconds）内没有 token 产出，之后自行恢复：不是故障，任何人都不应动引擎。",
    ),
    expected=Expected(alert=None, cause=None, outcome=Outcome.NOTHING),
    seconds=10.0,
)
