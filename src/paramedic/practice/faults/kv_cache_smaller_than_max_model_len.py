"""The KV cache that is left cannot hold one request of the full length."""

from paramedic.model.text import Text
from paramedic.practice.fault import Expected, Outcome
from paramedic.practice.fault_kinds import StartFault
from paramedic.practice.troubles import Stage

FAULT = StartFault(
    id="kv-cache-smaller-than-max-model-len",
    title=Text("The KV cache cannot hold one request of the full length", "KV cache 放不下一个最长请求"),
    summary=Text(
        "The KV cache holds half of the longest request; the core is killed, starts fail until `practice mend`.",
        "KV cache 只放得下最长请求的一半，并杀死引擎核心：每次启动都以退出码 1 结束，直到执行 `practice mend`。",
    ),
    expected=Expected(alert="start-failed", cause="kv-cache-smaller-than-max-model-len", outcome=Outcome.HUMAN),
    stage=Stage.KV_CACHE,
)
