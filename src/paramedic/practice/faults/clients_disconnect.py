"""Clients lose patience and hang up long before their answer is complete: their affair, no fault of the engine."""

from paramedic.model.text import Text
from paramedic.practice.fault import Expected, Outcome
from paramedic.practice.fault_kinds import CrowdFault
from paramedic.practice.traffic import Crowd

FAULT = CrowdFault(
    id="clients-disconnect",
    title=Text("Clients hang up", "客户端提前断开"),
    summary=Text(
        "Six clients ask for 500 tokens and hang up after two seconds, again and again.",
        "6 个客户端各请求 500 个 token，两秒后断开，反复如此。",
    ),
    expected=Expected(alert=None, cause=None, outcome=Outcome.NOTHING),
    crowd=Crowd(clients=6, prompt_tokens=16, max_tokens=500, hang_up_after=2.0),
)
