"""The words and colours of the screens, in both languages."""

from paramedic.model.target import EngineState, Mode
from paramedic.model.text import Language, Text

STATES: dict[EngineState, tuple[Text, str]] = {  # word, colour
    EngineState.UNKNOWN: (Text("unknown", "未知"), "dim"),
    EngineState.OUT_OF_REACH: (Text("out of reach", "无法访问"), "yellow"),
    EngineState.STARTING: (Text("starting", "启动中"), "cyan"),
    EngineState.SERVING: (Text("serving", "正常服务"), "green"),
    EngineState.SLEEPING: (Text("sleeping", "休眠"), "blue"),
    EngineState.UNRESPONSIVE: (Text("unresponsive", "无响应"), "yellow"),
    EngineState.SILENT: (Text("silent", "不出 token"), "bold red"),
    EngineState.DEAD: (Text("dead", "引擎已死"), "bold red"),
    EngineState.DOWN: (Text("down", "已宕机"), "bold red"),
    EngineState.START_FAILED: (Text("start failed", "启动失败"), "bold red"),
    EngineState.START_STALLED: (Text("start stalled", "启动卡住"), "yellow"),
    EngineState.STOPPED: (Text("stopped", "已停止"), "dim"),
}

STAGES: dict[str, Text] = {
    "configuring": Text("reading its configuration", "读取配置"),
    "loading": Text("loading weights", "加载权重"),
    "compiling": Text("compiling", "编译"),
    "profiling": Text("profiling memory", "显存探测"),
    "kv-cache": Text("allocating the KV cache", "分配 KV 缓存"),
    "capturing": Text("capturing CUDA graphs", "捕获 CUDA 图"),
    "warming": Text("warming up", "预热"),
    "serving": Text("serving", "开始服务"),
    "stopping": Text("stopping", "停止中"),
}

MODES: dict[Mode, Text] = {
    Mode.OBSERVE: Text("observe", "只看"),
    Mode.ASK: Text("ask", "先问"),
    Mode.ACT: Text("act", "自动"),
}

LEVEL_COLOURS = {"P0": "bold red", "P1": "bold yellow", "P2": "yellow", "P3": "cyan", "P4": "cyan"}

STATUSES: dict[str, tuple[Text, str]] = {
    "waiting-for-approval": (Text("waiting for your approval", "等待批准"), "bold yellow"),
    "waiting": (Text("waiting", "等待中"), "yellow"),
    "running": (Text("running", "执行中"), "cyan"),
    "done": (Text("done", "已完成"), "green"),
    "failed": (Text("failed", "失败"), "bold red"),
    "unknown": (Text("outcome unknown", "结果未知"), "yellow"),
    "rejected": (Text("rejected", "已拒绝"), "dim"),
}

STEPS: dict[str, Text] = {
    "resumed": Text("gone on with after Paramedic's own restart", "Paramedic 重启后继续执行"),
    "evidence-saved": Text("evidence saved", "已保存现场"),
    "stopped": Text("the old run is ended", "旧进程已结束"),
    "not-verified": Text("not verified by a token", "未能用 token 验证"),
}

ACTIONS: dict[str, Text] = {"restart": Text("restart", "重启")}

CATEGORIES: dict[str, Text] = {
    "severe": Text("severe", "严重故障"),
    "performance": Text("performance", "性能"),
    "configuration": Text("configuration", "配置"),
    "resource": Text("resource", "资源"),
    "warning": Text("warning", "预警"),
}

OCCASIONS: dict[str, Text] = {
    "opened": Text("incident opened", "事件开始"),
    "diagnosed": Text("diagnosis", "诊断结果"),
    "acting": Text("what Paramedic does", "处置进展"),
    "human-needed": Text("a human is needed", "需要人工处理"),
    "resolved": Text("incident resolved", "事件结束"),
}

STOP_REASONS: dict[str, Text] = {
    "interrupt": Text("Ctrl-C", "Ctrl-C"),
    "terminate": Text("SIGTERM", "SIGTERM"),
    "stop": Text("`paramedic stop`", "`paramedic stop`"),
    "time": Text("its time was over", "到达设定时长"),
}

ROLES: dict[str, Text] = {
    "api-server": Text("API server", "API server"),
    "engine-core": Text("EngineCore", "EngineCore"),
    "worker": Text("worker", "worker"),
    "other": Text("process", "进程"),
}


def say(words: Text | None, lang: Language, otherwise: str = "") -> str:
    """A word in the reader's language; `otherwise` where we have none (a newer version's word)."""
    return words.in_language(lang) if words else otherwise
