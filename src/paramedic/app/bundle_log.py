"""Of a log that is days long, what belongs to a recording: how the server started, and the time that was recorded."""

from dataclasses import replace

from paramedic.diagnosis.record import read_record
from paramedic.diagnosis.scene import Log
from paramedic.diagnosis.stats_line import read_stats

BEFORE_S = 1800.0  # of the recorded time: what led to it
STEP = 64  # lines between two looks at the log's own clock
LONGEST = 2000  # characters of a line that are looked at for its time


def recorded_part(log: Log, seconds: float) -> Log:
    """The start-up, and the last `seconds` with the half hour before; what lies between is a gap.

    A queue or a hang of last week is no finding about today. By the log's own clock; without one it stays whole.
    """
    begin = _first_of(log, seconds + BEFORE_S)
    head = _start_up(log, begin)
    if begin - head < STEP:
        return log
    return replace(log, lines=[*log.lines[:head], *log.lines[begin:]], gap=(head, begin - head))


def _first_of(log: Log, seconds: float) -> int:
    """The index of the first line of the last `seconds`."""
    last: float | None = None
    for index in range(len(log.lines) - 1, -1, -1):
        if last is not None and index % STEP:
            continue
        at = read_record(log.lines[index][:LONGEST]).seconds
        if at is None:
            continue
        if last is None:
            last = at
        elif last - at > seconds or at > last:  # later than what follows: the year has changed
            return index + 1
    return 0


def _start_up(log: Log, begin: int) -> int:
    """The number of lines before the first line of figures: from then on it serves."""
    for index in range(begin):
        if "throughput" in log.lines[index] and read_stats(index, log.lines[index][:LONGEST], None):
            return index
    return begin
