"""An upgrade dropped a flag that the command line still carries: the new version refuses it."""

from paramedic.model.text import Text
from paramedic.practice.fault import Expected, Outcome
from paramedic.practice.fault_kinds import StartFault
from paramedic.practice.troubles import Stage

FAULT = StartFault(
    id="unknown-or-invalid-argument",
    title=Text("An argument is unknown after an upgrade", "升级后启动参数不再被识别"),
    summary=Text(
        "--no-enable-prefix-caching is unknown from now on; the core is killed, starts fail until `practice mend`.",
        "新版本不认识 --no-enable-prefix-caching；核心被杀死，每次启动都以退出码 2 结束，直到 `practice mend`。",
    ),
    expected=Expected(alert="start-failed", cause="unknown-or-invalid-argument", outcome=Outcome.HUMAN),
    stage=Stage.ARGUMENTS,
)
