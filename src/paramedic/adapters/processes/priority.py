"""The first place at the processor, for the one who must notice that the others hang."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

AUTOGROUP = Path("/proc/self/autogroup")
FIRST = -10  # nice; our whole share is a hundredth of a core


@contextmanager
def first_in_line() -> Iterator[None]:
    """Let this session's processes run before others that are ready; where it is not allowed, all stays as it is.

    vLLM's engine and workers spin with `sched_yield`; where cores are few, Linux 6.18 then lets everybody else wait for
    seconds. Of a session's nice value (sched(7), autogroups), unlike that of a process, an engine that we start in a
    session of its own inherits nothing.
    """
    try:
        before = AUTOGROUP.read_text().split()[-1]
        AUTOGROUP.write_text(str(FIRST))
    except (OSError, IndexError):
        yield
        return
    try:
        yield
    finally:
        with suppress(OSError):
            AUTOGROUP.write_text(before)
