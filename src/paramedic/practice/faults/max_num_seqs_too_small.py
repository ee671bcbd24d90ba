"""Short prompts and long answers: all seats are taken and clients wait, while the KV cache is nearly empty."""

from paramedic.model.text import Text
from paramedic.practice.fault import Expected, Outcome
from paramedic.practice.fault_kinds import CrowdFault
from paramedic.practice.traffic import Crowd

FAULT = CrowdFault(
    id="max-num-seqs-too-small",
    title=Text("Too few seats for short requests", "max-num-seqs 太小"),
    summary=Text(
        "Forty-four clients with short prompts: all seats are taken, the rest wait, the KV cache is nearly empty.",
        "44 个短请求客户端：并发上限已满，其余排队，而 KV cache 几乎是空的。",
    ),
    expected=Expected(
        alert="requests-queueing",
        cause="max-num-seqs-too-small",
        outcome=Outcome.NOTHING,
        also=("request-queue-saturated",),
    ),
    crowd=Crowd(clients=44, prompt_tokens=12, max_tokens=100),
)
