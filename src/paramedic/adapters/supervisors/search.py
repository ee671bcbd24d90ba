"""Finding a run of ours that nobody came to write down: its output goes into a log file that only we make."""

from dataclasses import dataclass
from pathlib import Path

from paramedic.adapters.logs.of_process import log_of_process
from paramedic.adapters.processes.stat import Stat, pids, read_stat
from paramedic.adapters.supervisors.launch import runs_in


@dataclass(frozen=True, slots=True)
class FoundRun:
    """What lives of one run. `leader` is its first process, dead or alive; `started` is not after its start."""

    run: int
    log: Path
    leader: int
    started: float


def newest_run(logs: Path) -> FoundRun | None:
    """The newest run of which any process lives that writes into its log, whoever started it and whatever is known."""
    files = {str(file.resolve()): (run, file) for run, file in runs_in(logs) if file.suffix == ".log"}
    writers: dict[int, list[Stat]] = {}
    for pid in pids() if files else ():
        known = files.get(log_of_process(pid) or "")
        stat = read_stat(pid) if known else None
        if known and stat is not None and stat.alive:
            writers.setdefault(known[0], []).append(stat)
    if not writers:
        return None
    run = max(writers)
    oldest = min(writers[run], key=lambda stat: (stat.started, stat.pid))
    file = next(file for number, file in files.values() if number == run)
    return FoundRun(run, file, oldest.session, oldest.started)
