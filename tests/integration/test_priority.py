"""Paramedic runs before the engines that it watches, and what it starts does not inherit that."""

import subprocess
import sys
from pathlib import Path

import pytest

from paramedic.adapters.processes.priority import AUTOGROUP, FIRST

PROGRAM = """
import subprocess, sys
from pathlib import Path
from paramedic.adapters.processes.priority import AUTOGROUP, first_in_line

def nice():
    return int(AUTOGROUP.read_text().split()[-1])

CHILD = "import sys; print(open(sys.argv[1]).read().split()[-1])"
before = nice()
with first_in_line():
    child = subprocess.run([sys.executable, "-c", CHILD, str(AUTOGROUP)], capture_output=True, start_new_session=True)
    print(before, nice(), int(child.stdout))
print(nice())
"""


def may_go_first() -> bool:
    """Whether this kernel has autogroups in use, and lets us (CAP_SYS_NICE, bit 23)."""
    enabled = Path("/proc/sys/kernel/sched_autogroup_enabled").read_text().strip() == "1"
    allowed = int(Path("/proc/self/status").read_text().partition("CapEff:")[2].split()[0], 16)
    return enabled and bool(allowed >> 23 & 1)


def test_it_goes_first_while_it_runs_and_no_longer() -> None:
    if not AUTOGROUP.exists():
        pytest.skip("not permitted here: this kernel has no autogroups")
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, start_new_session=True, check=True
    )
    first, last = ran.stdout.splitlines()
    before, during, of_child = map(int, first.split())
    assert (before, of_child, int(last)) == (0, 0, 0)
    assert during in ((FIRST,) if may_go_first() else (FIRST, before))
