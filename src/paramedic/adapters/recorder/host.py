"""The machine around an engine: its cores, its memory, what the engine's processes use, and who else is busy."""

import contextlib
import os
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

import psutil

from paramedic.adapters.processes.recognise import title_of
from paramedic.adapters.processes.stat import PROC, TICK, pids, read_bytes, read_stat

BUSIEST = 8  # other processes that are told
BUSY = 5.0  # percent of one core
PRESSURE = Path("/proc/pressure")
_AVG10 = re.compile(r"^some avg10=([\d.]+)", re.MULTILINE)
_PUSHED = re.compile(rb"^nonvoluntary_ctxt_switches:\s*(\d+)", re.MULTILINE)
_THREADS = re.compile(rb"^Threads:\s*(\d+)", re.MULTILINE)
_RSS = re.compile(rb"^VmRSS:\s*(\d+) kB", re.MULTILINE)
MB = 1024 * 1024

Row = dict[str, Any]


class Host:
    """Looks in a row: percentages (of one core) are those since the look before."""

    def __init__(self) -> None:
        self._used: dict[int, tuple[float, float]] = {}  # pid -> (CPU seconds, when it began)
        self._at = 0.0
        psutil.cpu_percent(percpu=True)  # the first answer of psutil means nothing

    def look(self, at: float, engine: Collection[int]) -> Row:
        """One row at `at` (epoch seconds). What the system does not tell is left out, never 0."""
        seconds = at - self._at if self._at else 0.0
        self._at = at
        cores = psutil.cpu_percent(percpu=True)
        memory, swap = psutil.virtual_memory(), psutil.swap_memory()
        mine, others = self._processes(seconds, frozenset(engine))
        row: Row = {
            "t": round(at, 3),
            "load1": round(os.getloadavg()[0], 2),
            "cores": [round(share) for share in cores] if seconds else [],
            "mem_total_mb": memory.total // MB,
            "mem_avail_mb": memory.available // MB,
            "swap_used_mb": swap.used // MB,
            "engine": mine,
            "others": others,
        }
        for name, kind in (("psi_cpu", "cpu"), ("psi_mem", "memory"), ("psi_io", "io")):
            if (pressure := _pressure(kind)) is not None:
                row[name] = pressure
        return row

    def _processes(self, seconds: float, engine: frozenset[int]) -> tuple[list[Row], list[Row]]:
        """The engine's own, and the busiest of the others; those of which nothing is known yet are not busy."""
        mine: list[Row] = []
        others: list[Row] = []
        used: dict[int, tuple[float, float]] = {}
        for pid in pids():
            stat = read_stat(pid)
            if stat is None or not stat.alive:
                continue
            used[pid] = (stat.cpu_seconds, stat.started)
            before = self._used.get(pid)
            known = before is not None and before[1] == stat.started and seconds > 0
            share = (stat.cpu_seconds - before[0]) / seconds * 100 if known and before is not None else None
            if pid in engine:
                mine.append({"pid": pid, "name": stat.name, "state": stat.state, **_of_engine(pid, share)})
            elif share is not None and share >= max(BUSY, 100 / TICK / seconds * 2):
                others.append({"pid": pid, "name": stat.name, "pct": round(share)})
        self._used = used
        others.sort(key=lambda row: -row["pct"])
        return mine, others[:BUSIEST]


def _of_engine(pid: int, share: float | None) -> Row:
    """How it is done by: cores it may use, how often it was pushed off one, its threads and memory."""
    row: Row = {} if share is None else {"pct": round(share)}
    status = read_bytes(pid, "status", 8192)
    for name, pattern, divisor in (("thr", _THREADS, 1), ("pushed", _PUSHED, 1), ("rss_mb", _RSS, 1024)):
        if found := pattern.search(status):
            row[name] = int(found[1]) // divisor
    with contextlib.suppress(OSError):
        row["aff"] = len(os.sched_getaffinity(pid))
    return row


def _pressure(kind: str) -> float | None:
    """The share of the last ten seconds in which somebody waited for it, in percent; None where it is not told."""
    try:
        found = _AVG10.search((PRESSURE / kind).read_text())
    except OSError:
        return None
    return float(found[1]) if found else None


def process_lines(pids_of_engine: Collection[int]) -> list[str]:
    """The engine's process tree as text: never arguments, which may hold keys."""
    lines = []
    for pid in pids_of_engine:
        stat = read_stat(pid)
        if stat is None:
            lines.append(f"pid {pid} has ended")
            continue
        status = read_bytes(pid, "status", 8192)
        rss = _RSS.search(status)
        threads = _THREADS.search(status)
        title = title_of(read_bytes(pid, "cmdline", 256)) or stat.name
        lines.append(
            f"pid {pid} ppid {stat.parent} pgid {stat.group} sid {stat.session} state {stat.state} "
            f"rss {int(rss[1]) // 1024 if rss else '?'} MiB thr {int(threads[1]) if threads else '?'} "
            f"cpu {stat.cpu_seconds:.1f}s started {stat.started:.0f} | {title}"
        )
    return lines


def facts_of_machine() -> Row:
    """What does not change while it runs."""
    uname = os.uname()
    return {
        "system": uname.sysname,
        "release": uname.release,
        "machine": uname.machine,
        "cores": os.cpu_count(),
        "memory_mb": psutil.virtual_memory().total // MB,
        "in_container": Path("/.dockerenv").exists() or Path(PROC, "1", "root", ".dockerenv").exists(),
    }
