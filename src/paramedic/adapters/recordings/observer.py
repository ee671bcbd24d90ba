"""What an observer wrote down beside a log: the command, how the server ended, and which processes were left."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from paramedic.model.target import EngineProcess, Exit, Role

COMMAND = re.compile(r"^\[ *[\d.]+s\] \$ (?P<command>.*)$")
STARTED = re.compile(r"^\[ *[\d.]+s\] started pid (?P<pid>\d+)")
ENDED = re.compile(r"^\[ *[\d.]+s\] exit (?P<code>-?\d+)\s*$")
PROCESS = re.compile(r"^pid (?P<pid>\d+) ppid (?P<parent>\d+) (?P<state>\S+) .*\| (?P<title>.*)$")
TREE = re.compile(r"^----- (?:still alive|children at the end)")
OF_THE_ENGINE = {"VLLM::EngineCore": Role.ENGINE_CORE, "VLLM::Worker": Role.WORKER}


@dataclass(frozen=True, slots=True)
class Seen:
    """`ended`: the API server was seen to be gone at the end; what lived on then are its orphans."""

    arguments: tuple[str, ...] = ()
    exits: tuple[Exit, ...] = ()
    orphans: tuple[EngineProcess, ...] = ()
    ended: bool = False


def read_observer(lines: Sequence[str]) -> Seen:
    """Read an observer's notes; what they do not say is empty."""
    arguments: tuple[str, ...] = ()
    exits: tuple[Exit, ...] = ()
    orphans: list[EngineProcess] = []
    pid, in_tree = 0, False
    for line in lines:
        if not arguments and (found := COMMAND.match(line)):
            arguments = tuple(word for word in found["command"].split() if not re.match(r"[A-Z_]+=", word))
        elif not pid and (found := STARTED.match(line)):
            pid = int(found["pid"])
        elif pid and not exits and (found := ENDED.match(line)):
            exits = (_exit(pid, int(found["code"])),)
        if line.startswith("-----"):
            in_tree = bool(TREE.match(line))
            orphans = [] if in_tree else orphans
        elif in_tree and (found := PROCESS.match(line)) and found["title"].split()[0] in OF_THE_ENGINE:
            orphans.append(EngineProcess(int(found["pid"]), 0.0, OF_THE_ENGINE[found["title"].split()[0]]))
    return Seen(arguments, exits, tuple(orphans) if exits else (), bool(exits))


def _exit(pid: int, code: int) -> Exit:
    return Exit(pid, Role.API_SERVER, None if code < 0 else code, -code if code < 0 else None)
