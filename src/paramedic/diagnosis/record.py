"""One log line without its wrapping: launcher prefix, colours, process tag and logger prefix taken off."""

import re
from dataclasses import dataclass

from paramedic.diagnosis.wrapping import unwrap
from paramedic.model.target import Role

PROCESS = re.compile(r"^\((?P<tag>[A-Za-z][\w =]*?)(?:\s+pid=(?P<pid>\d+))?(?:,\s*ip=[^)]*)?\)\s?")
RANK = re.compile(r"^\[(?:rank|W|Rank )(?P<rank>\d+)\]:?\s?")
LOGGER = re.compile(
    r"^\[?(?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL)\s*[|:]?\s+"
    r"(?:\d{4}-)?(?P<month>\d\d)-(?P<day>\d\d)[ T](?P<h>\d\d):(?P<m>\d\d):(?P<s>\d\d)(?:[.,]\d+)?\s+"
    r"\[?(?P<where>[\w./-]+:\d+)\]\s?"
)
# SGLang: [2025-01-01 12:00:00 TP0] text; Ray: 2025-01-01 12:00:00,123 ERROR services.py:1 -- text; Python's usual one:
# 2025-01-01 12:00:00,123 - vllm.engine - ERROR - text
OTHER_LOGGERS = re.compile(
    r"^\[?\d{4}-(?P<month>\d\d)-(?P<day>\d\d)[ T](?P<h>\d\d):(?P<m>\d\d):(?P<s>\d\d)(?:[.,]\d+)?"
    r"(?:(?P<who>(?: (?:DP|TP|PP|EP)\d+)+)?\]\s"
    r"|[ \t]+(?:- )?(?:[\w.]+ - )?(?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL)\b\s*(?:[\w./-]+:\d+ )?(?:--?|:)?\s?)"
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
    """What one line says. `seconds` counts within a year, None where the engine wrote no time.

    `source` is the pod, container or service that it comes from, `rank` who of several spoke, where a line tells.
    """

    text: str
    role: Role | None = None
    tag: str = ""
    level: str = ""
    seconds: float | None = None
    source: str = ""
    rank: str = ""
    pid: str = ""

    @property
    def speaker(self) -> tuple[str, str, str, str]:
        """Who wrote it: lines of one traceback have one speaker, whatever stands between them."""
        return self.source, self.rank, self.tag, self.pid


def read_record(raw: str) -> Record:
    """Unwrap a raw line. Whatever is not recognised stays in the text."""
    wrapped = unwrap(raw)
    line, rank = wrapped.text, wrapped.rank
    role, tag, pid = None, "", ""
    for _ in range(2):  # Ray puts its own tag before the engine's
        if found := PROCESS.match(line):
            tag, pid = found["tag"], found["pid"] or pid
            role = _role(tag) or role
            line = line[found.end() :]
    if found := RANK.match(line):
        line, rank = line[found.end() :], rank or found["rank"]
    level, seconds = wrapped.level, None
    if found := LOGGER.match(line) or OTHER_LOGGERS.match(line):
        line, level, seconds = line[found.end() :], found["level"] or level, _seconds(found)
        rank = rank or (found.groupdict().get("who") or "").strip()
    elif found := PLAIN_LEVEL.match(line):
        line, level = line[found.end() :], found["level"]
    return Record(line, role, tag, level, seconds, wrapped.source, rank, pid)


def _seconds(found: re.Match[str]) -> float:
    days = int(found["month"]) * 31 + int(found["day"])
    return ((days * 24 + int(found["h"])) * 60 + int(found["m"])) * 60.0 + int(found["s"])


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


def _role(tag: str) -> Role | None:
    name = tag.lower().replace(" ", "")
    return next((role for word, role in ROLES if word in name), None)
