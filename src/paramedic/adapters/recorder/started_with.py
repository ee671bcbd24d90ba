"""How a running process was really started: the arguments and the environment that the system holds of it."""

from paramedic.adapters.processes.recognise import arguments_of
from paramedic.adapters.processes.stat import read_bytes, read_stat, same_process

ARGUMENTS_LIMIT = 256 * 1024
ENVIRONMENT_LIMIT = 1024 * 1024


def arguments_of_process(pid: int) -> tuple[str, ...]:
    """Its command line, with whatever secrets are in it; empty where it is gone or may not be read."""
    return arguments_of(read_bytes(pid, "cmdline", ARGUMENTS_LIMIT))


def environment_of_process(pid: int) -> dict[str, str] | None:
    """The environment it was started with, secrets included; None where it may not be read."""
    raw = read_bytes(pid, "environ", ENVIRONMENT_LIMIT)
    if not raw:
        return None
    pairs = (part.decode(errors="replace").partition("=") for part in raw.split(b"\0") if b"=" in part)
    return {name: value for name, _, value in pairs}


def is_still(pid: int, started: float) -> bool:
    """Whether that pid is the process that began at `started` (epoch seconds), and it has not ended."""
    stat = read_stat(pid)
    return stat is not None and stat.alive and same_process(stat, started)
