"""One bad night as its journal: an engine dies and is brought back, and another one waits for a person."""

from collections.abc import Iterator

from paramedic.journal import events as e
from paramedic.journal.codec import Entry
from paramedic.model.action import ActionKind, Outcome
from paramedic.model.alert import Alert
from paramedic.model.finding import Diagnosis, Evidence, Finding, Remedy, Restart, Verdict
from paramedic.model.level import Category, Level
from paramedic.model.target import EngineProcess, EngineState, Exit, Mode, Origin, Role, Target
from paramedic.model.text import Text

SECOND = 1_000_000_000
BEGIN = 1_795_489_900 * SECOND  # 2026-11-24 03:11:40 UTC

QWEN = Target("qwen3-8b@127.0.0.1:8000", "http://127.0.0.1:8000", Origin.STARTED, Mode.ACT, model="qwen3-8b")
EMBED = Target("bge-m3@127.0.0.1:8001", "http://127.0.0.1:8001", Origin.FOUND, Mode.ASK, model="bge-m3")

DEAD = "engine-dead-3f2a91c0"
ERRORS = "error-ratio-77aa01ff"
QUEUE = "requests-queueing-0b1c2d3e"
INCIDENT, OTHER_INCIDENT = "INC-2026-0001", "INC-2026-0002"
RESTART, ASKED = "ACT-0001", "ACT-0002"

_LOG = "/var/lib/paramedic/engines/qwen3-8b/run-1.log"

LIVES = Text("its process lives", "进程在运行")
ANSWERS = Text("it answers", "有应答")
ENDED = Text("a process of the engine has ended", "引擎的一个进程已退出")
ASLEEP = Text("asleep on purpose", "主动休眠")
BACK = Text(
    "serving again after 39.8 s (start to ready 35.1 s), verified by a token",
    "39.8 秒后恢复服务（启动到就绪 35.1 秒），已用 token 验证",
)

CORE_DIED = Diagnosis(
    Verdict.FAULT,
    findings=(
        Finding(
            cause="engine-core-died",
            family="process",
            category=Category.SEVERE,
            level=Level.P0,
            confidence=0.95,
            title=Text("EngineCore was killed (SIGKILL)", "EngineCore 被杀（SIGKILL）"),
            summary=Text(
                "The EngineCore process (pid 4711) was ended by signal 9; the API server answers 503 since.",
                "EngineCore 进程（pid 4711）被信号 9 结束，此后 API server 一直返回 503。",
            ),
            evidence=(
                Evidence(
                    _LOG,
                    1843,
                    "(APIServer pid=4700) ERROR 11-24 03:11:52 [core_client.py:612] Engine core proc died unexpectedly",
                ),
                Evidence("exit of EngineCore", 0, "signal 9"),
            ),
            chain=(
                Evidence(_LOG, 1843, "Engine core proc EngineCore died unexpectedly, shutting down client."),
                Evidence(_LOG, 1850, "EngineDeadError: EngineCore encountered an issue."),
            ),
            remedies=(
                Remedy("restart", Text("Restart the server; Paramedic does.", "重启服务，Paramedic 会做。")),
                Remedy(
                    "less-memory",
                    Text(
                        "If the kernel killed it for memory, give it less swap space.", "若被内核 OOM 杀掉，减小 swap。"
                    ),
                    ("--swap-space 0",),
                ),
            ),
            restart=Restart.CURES,
        ),
    ),
)

NO_LOG = Diagnosis(
    Verdict.UNKNOWN,
    missing=(Text("its log: give `log:` in the configuration", "它的日志：请在配置中写 `log:`"),),
)


def _alert(name: str, target: Target, level: Level, category: Category, summary: Text) -> Alert:
    rule = name.rpartition("-")[0]
    return Alert(name, rule, target.name, (("target", target.name),), level, category, summary)


class Pen:
    """Writes entries: seconds since the beginning, the event, and the number of its reason."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def write(self, seconds: float, event: e.Event, because: int | None = None) -> int:
        self.entries.append(Entry(len(self.entries) + 1, BEGIN + int(seconds * SECOND), because, event))
        return len(self.entries)


def crash_and_restart() -> list[Entry]:
    """An engine that serves dies, is diagnosed and brought back; another server fires an alert meanwhile."""
    pen = Pen()
    _watching(pen)
    dead = _crash(pen)
    _repair(pen, dead)
    return pen.entries


def _watching(pen: Pen) -> None:
    pen.write(-7200, e.DaemonStarted("0.1.0", 4242))
    added = pen.write(-7200, e.TargetAdded(QWEN))
    seen = pen.write(-7199, e.EngineSeen(QWEN.name, 1, EngineProcess(4700, 0.0, Role.API_SERVER), True, _LOG), added)
    starting = pen.write(-7198, e.StateChanged(QWEN.name, 1, EngineState.UNKNOWN, EngineState.STARTING, LIVES), seen)
    pen.write(-7190, e.StageReached(QWEN.name, 1, "loading"), seen)
    pen.write(-7100, e.StateChanged(QWEN.name, 1, EngineState.STARTING, EngineState.SERVING, ANSWERS), starting)
    pen.write(-60, e.TargetAdded(EMBED))
    pen.write(-59, e.StateChanged(EMBED.name, 1, EngineState.UNKNOWN, EngineState.SERVING, ANSWERS))


def _crash(pen: Pen) -> int:
    pen.write(12, e.ProcessEnded(QWEN.name, 1, Exit(4711, Role.ENGINE_CORE, signal=9)))
    dead = pen.write(12.1, e.StateChanged(QWEN.name, 1, EngineState.SERVING, EngineState.DEAD, ENDED), 6)
    fired = pen.write(
        12.2,
        e.AlertFired(
            _alert(
                DEAD,
                QWEN,
                Level.P0,
                Category.SEVERE,
                Text(
                    "The engine of qwen3-8b@127.0.0.1:8000 is dead: every request fails.",
                    "qwen3-8b@127.0.0.1:8000 的引擎已死，所有请求都会失败。",
                ),
            )
        ),
        dead,
    )
    opened = pen.write(12.2, e.IncidentOpened(INCIDENT, QWEN.name, Level.P0, DEAD), fired)
    pen.write(
        12.3,
        e.DeliveryRequested("DLV-0001", "oncall", INCIDENT, "opened", Level.P0, Text("dead", "已死")),
        opened,
    )
    return opened


def _repair(pen: Pen, opened: int) -> None:
    pen.write(12.9, e.DeliveryTried("DLV-0001", 1, "HTTP 502"))
    found = pen.write(13, e.DiagnosisMade(INCIDENT, CORE_DIED), opened)
    asked = pen.write(
        13.1,
        e.ActionRequested(
            RESTART,
            ActionKind.RESTART,
            QWEN.name,
            INCIDENT,
            Text("the engine died; a restart cures that", "引擎已死，重启可恢复"),
            1,
            False,
        ),
        found,
    )
    started = pen.write(13.2, e.ActionStarted(RESTART), asked)
    other = pen.write(
        14,
        e.AlertFired(
            _alert(
                QUEUE,
                EMBED,
                Level.P1,
                Category.PERFORMANCE,
                Text("Requests queue at bge-m3@127.0.0.1:8001.", "bge-m3@127.0.0.1:8001 有请求排队。"),
            )
        ),
    )
    pen.write(14, e.IncidentOpened(OTHER_INCIDENT, EMBED.name, Level.P1, QUEUE), other)
    pen.write(14.2, e.DeliveryFinished("DLV-0001", Outcome.DONE, 2))
    pen.write(15, e.ActionProgressed(RESTART, "stopped", "SIGTERM to the group"), started)
    errors = _alert(
        ERRORS, QWEN, Level.P1, Category.SEVERE, Text("More than 5 % of requests fail.", "超过 5% 的请求失败。")
    )
    second = pen.write(16, e.AlertFired(errors))
    pen.write(16, e.AlertJoinedIncident(INCIDENT, ERRORS, Level.P1), second)
    pen.write(17, e.EngineSeen(QWEN.name, 2, EngineProcess(5000, 0.0, Role.API_SERVER), True, _LOG), started)
    pen.write(30, e.StageReached(QWEN.name, 2, "capturing"))
    serving = pen.write(52, e.StateChanged(QWEN.name, 2, EngineState.DEAD, EngineState.SERVING, ANSWERS), 10)
    pen.write(53, e.ActionFinished(RESTART, Outcome.DONE, BACK), started)
    pen.write(57, e.AlertResolved(DEAD), 11)
    pen.write(58, e.AlertResolved(ERRORS), second)
    pen.write(58.1, e.IncidentResolved(INCIDENT, Text("it serves", "正常服务")), serving)
    pen.write(
        58.2,
        e.DeliveryRequested("DLV-0002", "oncall", INCIDENT, "resolved", Level.P0, Text("over", "已恢复")),
        opened,
    )
    pen.write(59, e.DeliveryFinished("DLV-0002", Outcome.FAILED, 5, "connection refused"))
    pen.write(900, e.StateChanged(QWEN.name, 2, EngineState.SERVING, EngineState.SLEEPING, ASLEEP), serving)


def waits_for_a_person() -> list[Entry]:
    """The same night; then the other server needs a restart that somebody must allow."""
    pen = Pen()
    pen.entries = crash_and_restart()
    found = pen.write(1000, e.DiagnosisMade(OTHER_INCIDENT, NO_LOG))
    pen.write(
        1001,
        e.ActionRequested(
            ASKED,
            ActionKind.RESTART,
            EMBED.name,
            OTHER_INCIDENT,
            Text("no token has moved for 60 s and the canary failed", "60 秒没有新 token，探测请求也失败"),
            1,
            True,
        ),
        found,
    )
    pen.write(1001, e.HumanNeeded(OTHER_INCIDENT, Text("A restart waits for your yes.", "重启等待批准。")), found)
    return pen.entries


def by_type(entries: list[Entry], kind: type[e.Event]) -> Iterator[Entry]:
    return (entry for entry in entries if isinstance(entry.event, kind))
