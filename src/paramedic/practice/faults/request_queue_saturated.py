"""More clients than seats: requests wait all the time while the engine runs as many as it may."""

from paramedic.model.text import Text
from paramedic.practice.fault import Expected, Outcome
from paramedic.practice.fault_kinds import CrowdFault
from paramedic.practice.traffic import Crowd

FAULT = CrowdFault(
    id="request-queue-saturated",
    title=Text("More clients than seats", "客户端多于并发上限"),
    summary=Text(
        "Sixty-four clients ask without a pause: half of them wait, the KV cache is well used and not full.",
        "64 个客户端不停发送请求：一半在排队，KV cache 利用充分但未用满。",
    ),
    expected=Expected(
        alert="requests-queueing",
        cause="request-queue-saturated",
        outcome=Outcome.NOTHING,
        also=("max-num-seqs-too-small",),
    ),
    crowd=Crowd(clients=64, prompt_tokens=420, max_tokens=16),
)
