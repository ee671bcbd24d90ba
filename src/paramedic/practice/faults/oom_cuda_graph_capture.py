"""After the KV cache took its share there is no room for the CUDA graphs."""

from paramedic.model.text import Text
from paramedic.practice.fault import Expected, Outcome
from paramedic.practice.fault_kinds import StartFault
from paramedic.practice.troubles import Stage

FAULT = StartFault(
    id="oom-cuda-graph-capture",
    title=Text("Out of GPU memory while capturing CUDA graphs", "捕获 CUDA graph 时显存不足"),
    summary=Text(
        "Capturing the CUDA graphs runs out of GPU memory; the core is killed, starts fail until `practice mend`.",
        "捕获 CUDA graph 时显存耗尽，并杀死引擎核心：每次启动都以退出码 1 结束，直到执行 `practice mend`。",
    ),
    expected=Expected(alert="start-failed", cause="oom-cuda-graph-capture", outcome=Outcome.HUMAN),
    stage=Stage.CAPTURING,
)
