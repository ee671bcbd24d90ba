"""One process as /proc/PID/stat tells it: whose child it is, its group and session, its state, its CPU time."""

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PROC = "/proc"
TICK = os.sysconf("SC_CLK_TCK")
START_TOLERANCE_S = 2.0  # the boot time, hence every start time, moves when the machine's clock is set


@dataclass(frozen=True, slots=True)
class Stat:
    """Times in seconds; `started` since the epoch."""

    pid: int
    name: str
    state: str
    parent: int
    group: int
    session: int
    cpu_seconds: float
    started: float

    @property
    def alive(self) -> bool:
        """A zombie has ended; it only waits for its parent to look."""
        return self.state not in "ZX"


def pids() -> list[int]:
    """Every process that this user may see."""
    return [int(name) for name in os.listdir(PROC) if name.isdigit()]  # noqa: PTH208 (half the time of iterdir)


def read_stat(pid: int) -> Stat | None:
    """None when there is no such process, or it may not be seen."""
    raw = read_bytes(pid, "stat", 1024)
    close = raw.rfind(b")")  # the name itself may contain anything
    if close < 0:
        return None
    name = raw[raw.find(b"(") + 1 : close].decode(errors="replace")
    fields = raw[close + 2 :].split()
    return Stat(
        pid=pid,
        name=name,
        state=fields[0].decode(),
        parent=int(fields[1]),
        group=int(fields[2]),
        session=int(fields[3]),
        cpu_seconds=(int(fields[11]) + int(fields[12])) / TICK,
        started=boot_time() + int(fields[19]) / TICK,
    )


def read_bytes(pid: int, name: str, limit: int) -> bytes:
    """At most `limit` bytes of a file of that process; empty when it is gone or may not be read."""
    try:
        file = os.open(f"{PROC}/{pid}/{name}", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(file, limit)
    except OSError:
        return b""
    finally:
        os.close(file)


def same_process(stat: Stat | None, started: float) -> bool:
    """Whether that pid is still the process that began at `started`, and has not been given to another."""
    return stat is not None and abs(stat.started - started) < START_TOLERANCE_S


@cache
def boot_time() -> float:
    """When this machine started, in epoch seconds."""
    for line in Path(PROC, "stat").read_text().splitlines():
        if line.startswith("btime "):
            return float(line.split()[1])
    return 0.0
