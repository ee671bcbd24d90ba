"""The weights do not fit into GPU memory any more, as after a change of precision or model."""

from paramedic.model.text import Text
from paramedic.practice.fault import Expected, Outcome
from paramedic.practice.fault_kinds import StartFault
from paramedic.practice.troubles import Stage

FAULT = StartFault(
    id="oom-weights-at-load",
    title=Text("The weights do not fit into GPU memory", "权重放不进显存"),
    summary=Text(
        "Loading the weights runs out of GPU memory; the core is killed, starts fail until `practice mend`.",
        "加载权重时显存耗尽，并杀死引擎核心：每次启动都以退出码 1 结束，直到执行 `practice mend`。",
    ),
    expected=Expected(alert="start-failed", cause="oom-weights-at-load", outcome=Outcome.HUMAN),
    stage=Stage.LOADING,
)
