"""The next start stands still while the weights are loaded: no log line, no processor time, no data read."""

from paramedic.model.text import Text
from paramedic.practice.fault import Expected, Outcome
from paramedic.practice.fault_kinds import StartFault
from paramedic.practice.troubles import Manner, Stage

FAULT = StartFault(
    id="start-stalled",
    title=Text("The start stands still", "启动停滞"),
    summary=Text(
        "The engine core is killed, and every start stands still at the weights until `practice mend`.",
        "杀死引擎核心，之后每次启动都停在加载权重处，直到执行 `practice mend`。",
    ),
    expected=Expected(alert="start-stalled", cause="start-stalled", outcome=Outcome.HUMAN),
    stage=Stage.LOADING,
    manner=Manner.STANDS_STILL,
)
