"""One line an event, for a `watch` without a terminal."""

from collections.abc import Callable
from typing import Any

from paramedic.cli.screens import figures, words
from paramedic.cli.screens.layout import clean, padded
from paramedic.cli.screens.words import say
from paramedic.journal import events as e
from paramedic.journal.codec import Entry, UnknownEvent
from paramedic.model.action import Outcome
from paramedic.model.finding import Verdict
from paramedic.model.text import Language, Text

Told = tuple[str, str, str]  # level or "", who it is about, the sentence


def line(entry: Entry, lang: Language) -> str | None:
    """The entry in one line: local time, level, whom it is about, a sentence. None for what nobody needs to read."""
    told = tell(entry.event, lang)
    if told is None:
        return None
    level, about, sentence = told
    return clean("  ".join((figures.clock(entry.at), padded(level, 2), *filter(None, (about, sentence)))))


def numbered_line(entry: Entry, lang: Language) -> str | None:
    """As `line`, with the entry's number and its day: for a journal of more than one night."""
    told = tell(entry.event, lang)
    if told is None:
        return None
    level, about, sentence = told
    head = (f"{entry.seq:>6}", figures.day_and_time(entry.at), padded(level, 2))
    return clean("  ".join((*head, *filter(None, (about, sentence)))))


def tell(event: e.Event, lang: Language) -> Told | None:
    """(level, whom it is about, sentence) of an event; None for noise."""
    teller = _TELLERS.get(type(event))
    return teller(event, lang) if teller else None


def _daemon_started(event: e.DaemonStarted, lang: Language) -> Told:
    text = Text("Paramedic {} watches (pid {})", "Paramedic {} 开始看护（pid {}）")
    return "", "", say(text, lang).format(event.version, event.pid)


def _daemon_stopped(event: e.DaemonStopped, lang: Language) -> Told:
    text = Text("Paramedic has stopped: {}", "Paramedic 已停止：{}")
    left = Text("; still running: {}", "；仍在运行：{}")
    sentence = say(text, lang).format(say(words.STOP_REASONS.get(event.reason), lang, event.reason))
    return "", "", sentence + (say(left, lang).format(", ".join(event.engines_left)) if event.engines_left else "")


def _daemon_was_late(event: e.DaemonWasLate, lang: Language) -> Told:
    text = Text("Paramedic itself was late by {}; nothing was judged in that time", "Paramedic 自己晚了 {}，其间未判断")
    return "", "", say(text, lang).format(figures.duration(event.seconds))


def _clock_was_set(event: e.ClockWasSet, lang: Language) -> Told:
    ahead = Text("the machine's clock was set forward by {}", "本机时钟被拨快 {}")
    back = Text("the machine's clock was set back by {}", "本机时钟被拨慢 {}")
    text = ahead if event.seconds > 0 else back
    return "", "", say(text, lang).format(figures.duration(abs(event.seconds)))


def _work_failed(event: e.WorkFailed, lang: Language) -> Told:
    text = Text("trouble of Paramedic itself: {}: {}", "Paramedic 自身的问题：{}：{}")
    return "", "", say(text, lang).format(event.work, event.error)


def _target_added(event: e.TargetAdded, lang: Language) -> Told:
    text = Text("is under watch at {} (mode {})", "开始看护，地址 {}（模式：{}）")
    no_way = Text("an address that is not known", "未知")
    url = event.target.url or say(no_way, lang)
    return "", event.target.name, say(text, lang).format(url, say(words.MODES[event.target.mode], lang))


def _target_removed(event: e.TargetRemoved, lang: Language) -> Told:
    return "", event.target, say(Text("is no longer watched", "不再看护"), lang) + _because(event.reason, lang)


def _target_held(event: e.TargetHeld, lang: Language) -> Told:
    open_end = Text("is held by {}: Paramedic watches and does nothing to it", "由 {} 接管：Paramedic 只看护，不动它")
    limited = Text(
        "is held by {} until {}: Paramedic watches and does nothing to it",
        "由 {} 接管至 {}：Paramedic 只看护，不动它",
    )
    until = figures.day_and_time(event.until) if event.until else ""
    return (
        "",
        event.target,
        say(limited if until else open_end, lang).format(event.by, until) + _because(event.reason, lang),
    )


def _target_resumed(event: e.TargetResumed, lang: Language) -> Told:
    text = Text("is no longer held, says {}", "{} 解除接管")
    return "", event.target, say(text, lang).format(event.by) + _because(event.reason, lang)


def _engine_seen(event: e.EngineSeen, lang: Language) -> Told:
    ours = Text("run {} started by Paramedic (pid {})", "第 {} 次运行，由 Paramedic 启动（pid {}）")
    found = Text("run {} found (pid {})", "发现第 {} 次运行（pid {}）")
    return "", event.target, say(ours if event.started_by_us else found, lang).format(event.run, event.process.pid)


def _reading_refused(event: e.ReadingRefused, lang: Language) -> Told:
    return "", event.target, say(event.what, lang)


def _unknown_event(event: UnknownEvent, lang: Language) -> Told:
    text = Text("an event that this version of Paramedic does not know: {}", "当前版本的 Paramedic 不认识的事件：{}")
    return "", "", say(text, lang).format(event.name)


def _stage_reached(event: e.StageReached, lang: Language) -> Told:
    stage = say(words.STAGES.get(event.stage), lang, event.stage)
    return "", event.target, say(Text("start-up: {}", "启动阶段：{}"), lang).format(stage)


def _process_ended(event: e.ProcessEnded, lang: Language) -> Told:
    text = Text("{} (pid {}) has ended: {}", "{}（pid {}）已退出：{}")
    role = say(words.ROLES.get(event.exit.role), lang, event.exit.role)
    return "", event.target, say(text, lang).format(role, event.exit.pid, say(event.exit.how, lang))


def _state_changed(event: e.StateChanged, lang: Language) -> Told:
    before, after = (say(words.STATES[state][0], lang) for state in (event.before, event.after))
    said = words.STAGES.get(event.reason.en, event.reason)  # a starting engine's reason is its stage
    reason = say(Text(" ({})", "（{}）"), lang).format(say(said, lang)) if said else ""
    return "", event.target, f"{before} -> {after}{reason}"


def _alert_fired(event: e.AlertFired, lang: Language) -> Told:
    text = Text("ALERT {}: {}", "告警 {}：{}")
    return event.alert.level, event.alert.target, say(text, lang).format(event.alert.id, say(event.alert.summary, lang))


def _alert_resolved(event: e.AlertResolved, lang: Language) -> Told:
    return "", event.alert, say(Text("alert over", "告警解除"), lang) + _because(event.reason, lang)


def _incident_opened(event: e.IncidentOpened, lang: Language) -> Told:
    text = Text("incident opened: {}, first alert {}", "事件开始：{}，首个告警 {}")
    return event.level, event.incident, say(text, lang).format(event.target, event.alert)


def _incident_resolved(event: e.IncidentResolved, lang: Language) -> Told:
    return "", event.incident, say(Text("incident resolved", "事件结束"), lang) + _because(event.reason, lang)


def _diagnosis_made(event: e.DiagnosisMade, lang: Language) -> Told:
    findings, missing = event.diagnosis.findings, event.diagnosis.missing
    if event.diagnosis.verdict is Verdict.FAULT and findings:
        text = Text("cause {}: {} (confidence {})", "原因 {}：{}（置信度 {}）")
        first = findings[0]
        shown = say(text, lang).format(first.cause, say(first.title, lang), figures.share(first.confidence))
        return first.level, event.incident, shown
    if event.diagnosis.verdict is Verdict.HEALTHY:
        return "", event.incident, say(Text("diagnosis: nothing wrong is to be seen", "诊断：没有看出问题"), lang)
    wanted = "; ".join(say(text, lang) for text in missing)
    text = Text("diagnosis: could not tell{}", "诊断：无法判断{}")
    return "", event.incident, say(text, lang).format(_because(wanted, lang))


def _action_requested(event: e.ActionRequested, lang: Language) -> Told:
    kind = say(words.ACTIONS.get(event.kind), lang, event.kind)
    if event.by:
        return "", event.action, f"{kind} {event.target}" + _because(event.reason, lang)
    plain_ = Text("{} {}, try {}: {}", "{} {}，第 {} 次：{}")
    shown = say(plain_, lang).format(kind, event.target, event.attempt, say(event.reason, lang))
    ask = Text("{}. It waits for you: paramedic approve {}", "{}。等待批准：paramedic approve {}")
    return "", event.action, say(ask, lang).format(shown, event.action) if event.needs_approval else shown


def _action_approved(event: e.ActionApproved, lang: Language) -> Told:
    return "", event.action, say(Text("approved by {}", "{} 已批准"), lang).format(event.by)


def _action_rejected(event: e.ActionRejected, lang: Language) -> Told:
    return (
        "",
        event.action,
        say(Text("rejected by {}", "{} 已拒绝"), lang).format(event.by) + _because(event.reason, lang),
    )


def _action_started(event: e.ActionStarted, lang: Language) -> Told:
    return "", event.action, say(Text("begins", "开始执行"), lang)


def _action_progressed(event: e.ActionProgressed, lang: Language) -> Told:
    return "", event.action, say(words.STEPS.get(event.step), lang, event.step) + _because(event.detail, lang)


_OUTCOMES = {
    Outcome.DONE: Text("done", "已完成"),
    Outcome.FAILED: Text("failed", "失败"),
    Outcome.UNKNOWN: Text("outcome unknown", "结果未知"),
}


def _action_finished(event: e.ActionFinished, lang: Language) -> Told:
    return "", event.action, say(_OUTCOMES[event.outcome], lang) + _because(event.detail, lang)


def _human_needed(event: e.HumanNeeded, lang: Language) -> Told:
    text = Text("A HUMAN IS NEEDED: {}", "需要人工处理：{}")
    return "", event.incident, say(text, lang).format(say(event.reason, lang))


def _delivery_tried(event: e.DeliveryTried, lang: Language) -> Told:
    text = Text("notification not accepted, attempt {}", "通知未送达，第 {} 次")
    return "", event.delivery, say(text, lang).format(event.attempt) + _because(event.detail, lang)


def _delivery_finished(event: e.DeliveryFinished, lang: Language) -> Told:
    texts = {
        Outcome.DONE: Text("notification accepted", "通知已送达"),
        Outcome.FAILED: Text("NOTIFICATION LOST after {} attempts", "通知发送失败，共尝试 {} 次"),
        Outcome.UNKNOWN: Text("nobody knows whether the notification arrived", "不知道通知是否送达"),
    }
    return "", event.delivery, say(texts[event.outcome], lang).format(event.attempts) + _because(event.detail, lang)


def _because(reason: Text | str, lang: Language) -> str:
    said = say(reason, lang) if isinstance(reason, Text) else reason
    return say(Text(": {}", "：{}"), lang).format(said) if said else ""


# AlertJoinedIncident and DeliveryRequested are left out: the lines before and after them say it.
_TELLERS: dict[type[e.Event], Callable[[Any, Language], Told]] = {
    UnknownEvent: _unknown_event,
    e.DaemonStarted: _daemon_started,
    e.DaemonStopped: _daemon_stopped,
    e.DaemonWasLate: _daemon_was_late,
    e.ClockWasSet: _clock_was_set,
    e.WorkFailed: _work_failed,
    e.TargetAdded: _target_added,
    e.TargetRemoved: _target_removed,
    e.TargetHeld: _target_held,
    e.TargetResumed: _target_resumed,
    e.EngineSeen: _engine_seen,
    e.ReadingRefused: _reading_refused,
    e.StageReached: _stage_reached,
    e.ProcessEnded: _process_ended,
    e.StateChanged: _state_changed,
    e.AlertFired: _alert_fired,
    e.AlertResolved: _alert_resolved,
    e.IncidentOpened: _incident_opened,
    e.DiagnosisMade: _diagnosis_made,
    e.IncidentResolved: _incident_resolved,
    e.ActionRequested: _action_requested,
    e.ActionApproved: _action_approved,
    e.ActionRejected: _action_rejected,
    e.ActionStarted: _action_started,
    e.ActionProgressed: _action_progressed,
    e.ActionFinished: _action_finished,
    e.HumanNeeded: _human_needed,
    e.DeliveryTried: _delivery_tried,
    e.DeliveryFinished: _delivery_finished,
}
