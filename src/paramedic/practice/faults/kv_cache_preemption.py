"""Requests of middle length that together outgrow the KV cache: running ones are thrown out and computed again."""

from paramedic.model.text import Text
from paramedic.practice.fault import Expected, Outcome
from paramedic.practice.fault_kinds import CrowdFault
from paramedic.practice.traffic import Crowd

FAULT = CrowdFault(
    id="kv-cache-preemption",
    title=Text("The KV cache is too small for the load", "KV cache 装不下当前负载"),
    summary=Text(
        "Thirty-two clients with 450 tokens and 300 more to come: the KV cache is full, requests are preempted.",
        "32 个客户端，提示 450 token、生成 300 token：KV cache 用满，请求被抢占。",
    ),
    expected=Expected(alert="preemptions", cause="kv-cache-preemption", outcome=Outcome.NOTHING),
    crowd=Crowd(clients=32, prompt_tokens=450, max_tokens=300),
)
