"""The short reasons and steps of the journal, in the reader's words; what is not known here is shown as it stands."""

import re

from paramedic.cli.screens import words
from paramedic.model.text import Language, Text

_STEPS: dict[str, Text] = {
    "evidence-saved": Text("evidence saved", "已保存现场"),
    "stopped": Text("the old run is ended", "旧进程已结束"),
    "not-verified": Text("not verified by a token", "未能用 token 验证"),
}

_CODES: dict[str, Text] = words.STAGES | {state.value: text for state, (text, _) in words.STATES.items()}

_CHINESE: tuple[tuple[str, str], ...] = (
    ("its API server ended after it was told to stop", "被要求停止后，API server 已退出"),
    ("its API server ended before it was ready", "API server 未就绪即退出"),
    ("the API server's process has ended", "API server 进程已退出"),
    ("its engine ended after it was told to stop", "被要求停止后，引擎已退出"),
    ("a process of the engine has ended", "引擎的一个进程已退出"),
    ("a process of the engine ended before it was ready", "引擎的一个进程未就绪即退出"),
    ("/health answered 503: the engine says that it is dead", "/health 返回 503：引擎自报已死"),
    ("nobody listens at its address", "其地址无人监听"),
    ("it answers nothing, uses no CPU, and the canary failed", "无任何应答，不占 CPU，探测请求也失败"),
    (r"it refuses connections for (\d+) s: busy or hung", r"已拒绝连接 \1 秒：忙或卡死"),
    (r"it gives odd answers for (\d+) s: busy or hung", r"应答异常已 \1 秒：忙或卡死"),
    (r"it answers nothing for (\d+) s: busy or hung", r"已 \1 秒无应答：忙或卡死"),
    (r"nothing has moved for (\d+) s at (.+)", r"停在 \2，已 \1 秒没有进展"),
    ("asleep on purpose", "主动休眠"),
    (
        r"work is present, no token moved for (\d+) s, and the canary failed",
        r"有请求在执行，但 \1 秒没有新 token，探测请求也失败",
    ),
    (
        r"no work is shown, yet (\d+) requests for one token had no answer",
        r"看不到请求，但 \1 次单 token 探测都没有应答",
    ),
    ("it answers", "有应答"),
    ("its condition holds no longer", "条件不再成立"),
    (r"the rule (\S+) exists no longer", r"规则 \1 已不存在"),
    (r"ended with Paramedic(?:: .+)?", "随 Paramedic 一起结束"),
    ("it had ended before Paramedic started", "Paramedic 启动前它已结束"),
    ("not there any more when Paramedic started", "Paramedic 启动时已不在"),
    ("no longer in the configuration", "已不在配置中"),
    (r"its reason has gone: the engine is (\S+)", r"原因已消失：引擎当前状态为 \1"),
    (
        r"serving again after ([\d.]+) s \(start to ready ([\d.]+) s\), verified by a token",
        r"\1 秒后恢复服务（启动到就绪 \2 秒），已用 token 验证",
    ),
    ("Paramedic ended while this ran; what is now is looked at anew", "执行中 Paramedic 退出了，现状重新检查"),
)
_PATTERNS = tuple((re.compile(pattern), chinese) for pattern, chinese in _CHINESE)


def step(text: str, lang: Language) -> str:
    """A step of a running action in the reader's language."""
    return words.say(_STEPS.get(text), lang, text)


def phrase(text: str, lang: Language) -> str:
    """A reason in the reader's language: a sentence, a stage or a state."""
    if code := _CODES.get(text):
        return code.in_language(lang)
    if lang == "en":
        return text
    for pattern, chinese in _PATTERNS:
        if match := pattern.fullmatch(text):
            return match.expand(chinese)
    return text
