"""A message as a letter: what a person on duty needs to see on a telephone, and the lines to type."""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from email.header import Header
from email.mime.text import MIMEText
from email.utils import formataddr, formatdate
from typing import Any

from paramedic.model.text import Language, Text
from paramedic.ports import Message

_LONGEST_SUBJECT = 200
_LONGEST_LINE = 300
_EVIDENCE_SHOWN = 8

_LEVEL = Text("Level", "级别")
_SERVER = Text("Server", "服务")
_INCIDENT = Text("Incident", "事件")
_SINCE = Text(", since {}", "，始于 {}")
_ALERTS = Text("ALERTS", "告警")
_CAUSE = Text("CAUSE", "原因")
_EVIDENCE = Text("EVIDENCE", "证据")
_REMEDY = Text("WHAT TO DO", "处置建议")
_LOOK = Text("TO LOOK CLOSER, TYPE", "进一步查看，请输入")
_CONFIDENCE = Text("{} (confidence {:.0%})", "{}（置信度 {:.0%}）")


def letter(message: Message, sender: str, to: Sequence[str], language: Language) -> MIMEText:
    """The mail. All letters about one incident are one thread: same subject, and each refers to the first one."""
    mail = MIMEText("\n".join(_body(message, language)) + "\n", "plain", "utf-8")
    domain = sender.rpartition("@")[2]
    first = f"<{_thread(message)}@{domain}>"
    opens = message.occasion == "opened"
    mail["From"] = formataddr(("Paramedic", sender))
    mail["To"] = ", ".join(to)
    mail["Subject"] = _encoded(("" if opens else "Re: ") + subject(message, language))
    mail["Date"] = formatdate(localtime=True)
    mail["Message-ID"] = first if opens else f"<{_thread(message)}.{_ascii(message.delivery)}@{domain}>"
    if not opens:
        mail["In-Reply-To"] = first
        mail["References"] = first
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Paramedic-Delivery"] = _ascii(message.delivery)
    mail["X-Paramedic-Level"] = _ascii(message.level)
    return mail


def subject(message: Message, language: Language) -> str:
    """`[P0] SERVER INCIDENT: what the first alert says`."""
    alerts = _items(message.facts.get("alerts"))
    said = _said(alerts[0].get("summary"), language) if alerts else ""
    return _line(": ".join(filter(None, (message.title, said))))[:_LONGEST_SUBJECT] or "Paramedic"


def _body(message: Message, language: Language) -> Iterator[str]:
    yield from (_line(part) for part in message.body.splitlines())
    yield ""
    opened = message.facts.get("opened_at")
    since = _SINCE.in_language(language).format(_moment(opened)) if isinstance(opened, int) else ""
    for head, value in ((_LEVEL, message.level), (_SERVER, message.target), (_INCIDENT, message.incident + since)):
        if value:
            yield f"{head.in_language(language)}: {_line(value)}"
    alerts = [_said(alert.get("summary"), language) for alert in _items(message.facts.get("alerts"))]
    yield from _section(_ALERTS, alerts, language)
    yield from _diagnosis(message.facts.get("diagnosis"), language)
    if message.incident:
        yield from _section(_LOOK, [f"paramedic explain {message.incident}", "paramedic status"], language)


def _diagnosis(diagnosis: object, language: Language) -> Iterator[str]:
    findings = _items(diagnosis.get("findings")) if isinstance(diagnosis, dict) else []
    if not findings:
        return
    first = findings[0]
    title = _said(first.get("title"), language)
    share = first.get("confidence")
    if isinstance(share, int | float):
        title = _CONFIDENCE.in_language(language).format(title, share)
    yield from _section(_CAUSE, [title, _said(first.get("summary"), language)], language)
    seen = [_evidence(one) for one in _items(first.get("evidence"))]
    yield from _section(_EVIDENCE, seen[:_EVIDENCE_SHOWN], language)
    todo = []
    for remedy in _items(first.get("remedies")):
        flags = " ".join(map(str, remedy.get("flags") or ()))
        todo += [_said(remedy.get("text"), language), flags]
    yield from _section(_REMEDY, todo, language)


def _section(head: Text, lines: Sequence[str], language: Language) -> Iterator[str]:
    shown = [f"  {_line(one)}" for one in lines if one]
    if shown:
        yield from ["", head.in_language(language), *shown]


def _evidence(one: dict[str, Any]) -> str:
    place = f"{one.get('file', '')}:{one['line']}" if one.get("line") else str(one.get("file", ""))
    return f"{place}  {str(one.get('text', ''))[:_LONGEST_LINE]}"


def _items(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list | tuple) else []


def _said(text: object, language: Language) -> str:
    return str(text.get(language, "")) if isinstance(text, dict) else ""


def _moment(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns // 1_000_000_000).astimezone().strftime("%Y-%m-%d %H:%M:%S %z")


def _thread(message: Message) -> str:
    """What the incident's letters have in common, and no other installation's have: ids begin at 1 everywhere."""
    parts = (message.incident or message.delivery, message.target, str(message.facts.get("opened_at", "")))
    return hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()[:24]


def _encoded(words: str) -> str:
    """Encoded as a whole: where plain and encoded words meet, readers disagree about the blanks between them."""
    return words if words.isascii() else Header(words, "utf-8", header_name="Subject").encode()


def _line(text: str) -> str:
    """One line without control characters: a log line must not steer a reader's screen, nor add a header."""
    return "".join(sign if sign.isprintable() else " " for sign in text).rstrip()


def _ascii(text: str) -> str:
    return "".join(sign for sign in text if sign.isascii() and (sign.isalnum() or sign in "-_."))
