"""The next start takes a quarter of an hour, with a progress line now and then: slow, and no fault."""

from paramedic.model.text import Text
from paramedic.practice.fault import Expected, Outcome
from paramedic.practice.fault_kinds import StartFault
from paramedic.practice.troubles import Manner, Stage

FAULT = StartFault(
    id="start-slow",
    title=Text("The start takes long", "启动很慢"),
    summary=Text(
        "The engine core is killed, and the next starts take long (--seconds) but move all the time: wait.",
        "杀死引擎核心，之后的启动耗时很长（--seconds）但一直有进展：应当等待。",
    ),
    expected=Expected(alert="engine-dead", cause="engine-core-died", outcome=Outcome.RESTART),
    stage=Stage.LOADING,
    manner=Manner.SLOW,
    seconds=900.0,
)
