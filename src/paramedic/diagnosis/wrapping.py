"""What launchers and log collectors put around an engine's line, taken off: prefixes, JSON, colours, boxes."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\\u001b\[[0-9;]*m|\[\d{1,2}(?:;\d{1,2})*m")  # the last: its escape was lost
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?"
HOST_AND_PROGRAM = r"[\w.-]+\s[\w./@-]+(?:\[\d+\])?:\s"  # as syslog writes them
SURELY_A_PROGRAM = r"[\w.-]+\s(?:[\w./@-]+\[\d+\]|kernel|systemd[\w-]*|dockerd|containerd|kubelet):\s"
PREFIX = re.compile(
    r"(?:"
    r"\[(?P<pod>pod/[^\]\s]+)\]\s"  # kubectl logs --prefix
    r"|(?P<service>[a-z][\w.-]*)\s+\|\s(?!grep|tail|head|awk|sed|jq|less|sort|wc|tee|xargs)"  # docker compose
    rf"|{TIME}(?:\t|\s(?:(?:stdout|stderr)\s[FP]\s)?(?:{SURELY_A_PROGRAM})?)"  # docker -t, CRI, short-iso, logcli
    rf"|[A-Z][a-z]{{2}}\s+\d{{1,2}}\s\d\d:\d\d:\d\d(?:\.\d+)?\s{HOST_AND_PROGRAM}"  # journald short
    r"|\[(?:[A-Z][a-z]{2} [A-Z][a-z]{2}\s+\d+ \d\d:\d\d:\d\d \d{4}|\s*\d+\.\d{6})\]\s"  # dmesg -T, dmesg
    r"|(?P<stern>[a-z0-9][a-z0-9.-]*-[a-z0-9]{4,10}\s[a-z][\w.-]*)\s(?=[(\[]|DEBUG|INFO|WARNING|ERROR|CRITICAL|Traceback)"
    r"|\[\d+,(?P<mpi>\d{1,4})\]<std(?:out|err)>:\s?"  # mpirun --tag-output
    r"|\[(?:default|rank)?(?P<torchrun>\d{1,4})\]:\s?"
    r"|\s{0,4}(?P<slurm>\d{1,4}):\s"  # srun --label
    r"|\{(?P<labels>\w+=\"[^}]*)\}\s+"  # logcli
    r"|[\w.-]+\t(?=\{)"  # fluentd's tag
    r")"
)
REPEATED = re.compile(r"(?:\x1b\[\d+m)? \[repeated \d+x across cluster\].*$")  # Ray, of what several workers said
DEEPEST = 5  # prefixes and envelopes around one line
SAID = ("log", "message", "MESSAGE", "msg", "text", "event", "@message")
TRACED = ("exception", "exc_info", "traceback", "stack_trace", "stacktrace", "exc_text", "error.stack_trace")
LEVELS = ("level", "levelname", "severity", "log.level", "lvl")
LEVEL_NAMES = {"WARN": "WARNING", "ERR": "ERROR", "FATAL": "CRITICAL"}


@dataclass(slots=True)
class Wrapped:
    """A line without its wrapping, and what the wrapping told: where it comes from, which rank spoke, how loudly."""

    text: str
    source: str = ""
    rank: str = ""
    level: str = ""


def unwrap(raw: str) -> Wrapped:
    """The line as the engine wrote it. A message in JSON may have several lines."""
    line = Wrapped(raw.rstrip("\r\n"))
    for _ in range(DEEPEST):
        before = line.text
        _open_envelope(line)
        if "\r" in line.text:
            line.text = line.text[
                line.text.rindex("\r") + 1 :
            ]  # a progress bar rewrote its line: the last state counts
        line.text = uncoloured(line.text)
        _take_prefix(line)
        if line.text == before:
            break
    if "across cluster]" in line.text:
        line.text = REPEATED.sub("", line.text)
    if line.text.startswith(("│", "┃")):  # Rich draws a box around a traceback
        line.text = line.text.strip("│┃ \t")
    return line


def uncoloured(line: str) -> str:
    """The line without colours, which may hide where a word begins; nearly every line is returned as it is."""
    return ANSI.sub("", line) if "\x1b" in line or "u001b" in line or "m(" in line or "0m" in line else line


def _take_prefix(line: Wrapped) -> None:
    found = PREFIX.match(line.text)
    if not found:
        return
    line.text = line.text[found.end() :]
    line.source = line.source or found["pod"] or found["service"] or found["stern"] or found["labels"] or ""
    line.rank = line.rank or found["mpi"] or found["torchrun"] or found["slurm"] or ""


def _open_envelope(line: Wrapped) -> None:
    """A line in JSON, as docker, journalctl, structlog, vLLM's own formatter or TGI write it."""
    if not line.text.startswith("{"):
        return
    try:
        entry = json.loads(line.text)
    except (ValueError, RecursionError):
        return
    if not isinstance(entry, dict):
        return
    inner = entry.get("fields")
    said = _first(entry, SAID) or (_first(inner, SAID) if isinstance(inner, dict) else "")
    if not said:
        return
    trace = _first(entry, TRACED)
    line.text = (said.rstrip("\r\n") + ("\n" + trace if trace and trace not in said else "")).strip("\n")
    level = _first(entry, LEVELS).upper()
    line.level = line.level or LEVEL_NAMES.get(level, level)
    pod = entry.get("kubernetes")
    line.source = line.source or (str(pod.get("pod_name", "")) if isinstance(pod, dict) else "")


def _first(entry: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    for key in keys:
        value = entry.get(key)
        if isinstance(value, str) and value:
            return value
        if isinstance(value, list) and value and all(isinstance(one, int) and 0 <= one < 256 for one in value):
            return bytes(value).decode(errors="replace")  # journald, where the text is no plain UTF-8
    return ""
