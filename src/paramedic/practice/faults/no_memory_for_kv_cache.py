"""Weights and activations take the whole budget: nothing is left for the KV cache."""

from paramedic.model.text import Text
from paramedic.practice.fault import Expected, Outcome
from paramedic.practice.fault_kinds import StartFault
from paramedic.practice.troubles import Stage

FAULT = StartFault(
    id="no-memory-for-kv-cache",
    title=Text("Nothing is left for the KV cache", "没有显存留给 KV cache"),
    summary=Text(
        "No GPU memory is left for the KV cache; the core is killed, starts fail until `practice mend`.",
        "没有显存留给 KV cache，并杀死引擎核心：每次启动都以退出码 1 结束，直到执行 `practice mend`。",
    ),
    expected=Expected(alert="start-failed", cause="no-memory-for-kv-cache", outcome=Outcome.HUMAN),
    stage=Stage.KV_CACHE,
)
