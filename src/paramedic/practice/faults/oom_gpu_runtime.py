"""The GPU runs out of memory in the next step: a neighbour took the head-room."""

from paramedic.model.text import Text
from paramedic.practice.fault import Expected, Fault, Outcome, Patient


class OutOfMemory(Fault):
    def inflict(self, patient: Patient, seconds: float) -> None:
        patient.running.tell_core({"out_of_memory": True})


FAULT = OutOfMemory(
    id="oom-gpu-runtime",
    title=Text("Out of GPU memory while serving", "运行中显存不足"),
    summary=Text(
        "The next step raises torch.OutOfMemoryError: the engine core dies with it, the server exits with 0.",
        "下一步抛出 torch.OutOfMemoryError：引擎核心随之死亡，服务以退出码 0 结束。",
    ),
    expected=Expected(alert="engine-dead", cause="oom-gpu-runtime", outcome=Outcome.RESTART),
)
