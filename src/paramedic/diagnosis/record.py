"""One log line without its wrapping: launcher prefix, colours, process tag and logger prefix taken off."""

import json
import re
from dataclasses import dataclass

from paramedic.model.target import Role

ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\\u001b\[[0-9;]*m|\[\d{1,2}(?:;\d{1,2})*m")  # the last: its escape was lost
LAUNCHER = re.compile(
    r"^(?:"
    r"\[pod/[^\]]+\]\s"  # kubectl logs --prefix
    r"|[\w.-]+-\d+\s+\|\s"  # docker compose
    r"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?\s+(?:(?:stdout|stderr)\s[FP]\s)?"
    r"(?:[\w.-]+\s[\w./@-]+(?:\[\d+\])?:\s)?"  # docker -t, CRI, journald short-iso
    r"|[A-Z][a-z]{2}\s+\d{1,2}\s\d\d:\d\d:\d\d(?:\.\d+)?\s[\w.-]+\s[\w./@-]+(?:\[\d+\])?:\s"  # journald short
    r")"
)
PROCESS = re.compile(r"^\((?P<tag>[A-Za-z][\w =]*?)(?:\s+pid=(?P<pid>\d+))?(?:,\s*ip=[^)]*)?\)\s?")
RANK = re.compile(r"^\[(?:rank|W|Rank )(?P<rank>\d+)\]:?\s?")
LOGGER = re.compile(
    r"^\[?(?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL)\s*[|:]?\s+"
    r"(?:\d{4}-)?(?P<month>\d\d)-(?P<day>\d\d)[ T](?P<h>\d\d):(?P<m>\d\d):(?P<s>\d\d)(?:[.,]\d+)?\s+"
    r"\[?(?P<where>[\w./-]+:\d+)\]\s?"
)
PLAIN_LEVEL = re.compile(r"^(?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL):\s+")
ROLES = (("apiserver", Role.API_SERVER), ("enginecore", Role.ENGINE_CORE), ("worker", Role.WORKER))
SECRETS = (
    re.compile(r"\bhf_(?!transfer)[A-Za-z0-9]{8,}|\bsk-[A-Za-z0-9_-]{8,}|\beyJ[\w-]{10,}\.[\w.-]+"),
    re.compile(r"(?<=Bearer )[^\s'\"]+", re.IGNORECASE),
    re.compile(r"(?<=[a-z]://)[^\s/@:]+:[^\s/@]+(?=@)"),
)
# A name that means a secret, what stands between, and its value: --api-key x, api_key='x', "token": ["x"], HF_TOKEN=x.
NAMED_SECRET = re.compile(
    r"(?i)(?<![a-z])(?P<key>['\"]?(?P<flag>--)?(?:[a-z0-9]+[_-])*(?:api[_-]?key|token|password|secret)['\"]?"
    r"(?:\s*[=:]\s*|(?(flag)\s+|\s+(?=['\"\[]))))"
    r"(?P<value>\[[^\]]*\]|'[^']*'|\"[^\"]*\"|[^\s,)}\]]+)"
)


@dataclass(frozen=True, slots=True)
class Record:
    """What one line says. `seconds` counts within a year, None where the engine wrote no time."""

    text: str
    role: Role | None = None
    tag: str = ""
    level: str = ""
    seconds: float | None = None


def read_record(raw: str) -> Record:
    """Unwrap a raw line. Whatever is not recognised stays in the text."""
    line = unwrap(raw)
    role, tag = None, ""
    for _ in range(2):  # Ray puts its own tag before the engine's
        if found := PROCESS.match(line):
            tag = found["tag"]
            role = _role(tag) or role
            line = line[found.end() :]
    if found := RANK.match(line):
        line = line[found.end() :]
    if found := LOGGER.match(line):
        days = int(found["month"]) * 31 + int(found["day"])
        seconds = ((days * 24 + int(found["h"])) * 60 + int(found["m"])) * 60.0 + int(found["s"])
        return Record(line[found.end() :], role, tag, found["level"], seconds)
    if found := PLAIN_LEVEL.match(line):
        return Record(line[found.end() :], role, tag, found["level"])
    return Record(line, role, tag)


def unwrap(raw: str) -> str:
    """The line as the engine wrote it, without what docker, kubectl or journald put before it."""
    line = raw.rstrip("\r\n")
    if line.startswith('{"'):
        line = _docker_json(line)
    if "\r" in line:
        line = line[line.rindex("\r") + 1 :]  # a progress bar rewrote its line: the last state counts
    line = uncoloured(line)
    for _ in range(3):  # kubectl --prefix --timestamps, compose -t: prefixes stack
        found = LAUNCHER.match(line)
        if not found:
            break
        line = line[found.end() :]
    return line


def uncoloured(line: str) -> str:
    """The line without colours, which may hide where a word begins; nearly every line is returned as it is."""
    return ANSI.sub("", line) if "\x1b" in line or "u001b" in line or "m(" in line or "0m" in line else line


def without_secrets(text: str, limit: int = 600) -> str:
    """The text as people may see it: keys, tokens and passwords masked, very long lines cut."""
    text = text[: 4 * limit]  # a line of megabytes is not searched to its end for what is cut off anyway
    for pattern in SECRETS:
        text = pattern.sub("***", text)
    text = NAMED_SECRET.sub(lambda found: f"{found['key']}***" if _is_secret(found["value"]) else found[0], text)
    return text if len(text) <= limit else text[:limit] + " …"


def _is_secret(value: str) -> bool:
    """A number, None or a boolean is a setting (max_token=128), not a secret."""
    bare = value.strip("[]'\"")
    return bool(bare) and not re.fullmatch(r"None|null|True|False|[\d.,]+", bare)


def _docker_json(line: str) -> str:
    try:
        entry = json.loads(line)
    except ValueError:
        return line
    text = entry.get("log", entry.get("message")) if isinstance(entry, dict) else None
    return text.rstrip("\r\n") if isinstance(text, str) else line


def _role(tag: str) -> Role | None:
    name = tag.lower().replace(" ", "")
    return next((role for word, role in ROLES if word in name), None)
