"""A storm of long prompts: reading them takes the steps, first tokens come late, nothing is broken."""

from paramedic.model.text import Text
from paramedic.practice.fault import Expected, Outcome
from paramedic.practice.fault_kinds import CrowdFault
from paramedic.practice.traffic import Crowd

FAULT = CrowdFault(
    id="long-prompts",
    title=Text("A storm of long prompts", "长提示请求风暴"),
    summary=Text(
        "Thirty-two clients with prompts of 1,800 tokens and short answers: requests queue, first tokens come late.",
        "32 个客户端，提示 1800 token、回答很短：请求排队，首个 token 变慢。",
    ),
    expected=Expected(alert="requests-queueing", cause="request-queue-saturated", outcome=Outcome.NOTHING),
    crowd=Crowd(clients=32, prompt_tokens=1800, max_tokens=8),
)
