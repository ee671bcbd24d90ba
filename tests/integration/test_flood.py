"""An engine that prints without end: its log stays small, its last words are kept, and it is told of."""

import asyncio
import sys
from pathlib import Path

from paramedic.adapters.logs.file_log import FileLog
from paramedic.adapters.supervisors.child import ChildSupervisor
from paramedic.adapters.supervisors.launch import rotate_log
from paramedic.app.housekeeping import Housekeeping
from paramedic.journal.events import EngineSeen, WorkFailed
from tests.integration.practice_engine import wait_until
from tests.unit.pipeline.rig import Rig

MB = 1024 * 1024
LIMIT = 4 * MB
FLOOD = """
import os, sys, time
line = b"x" * 99 + b"\\n"
while os.path.exists(sys.argv[1]):
    if os.fstat(1).st_size < 64 * 2**20:  # a test that is held up fills no disk
        os.write(1, line * 10_000)
    time.sleep(0.01)
"""


async def test_an_engine_that_prints_100_mb_a_second(tmp_path: Path) -> None:
    """The daemon's housekeeping with a smaller limit, and a reader that is never given more than it can bear."""
    rig = Rig()
    supervisor = ChildSupervisor(tmp_path / "engines")
    target = rig.add()
    going_on = tmp_path / "going-on"
    going_on.touch()
    supervisor.register(target, (sys.executable, "-c", FLOOD, str(going_on)), {}, str(tmp_path))
    process, log = await supervisor.start(target, 1)
    try:
        rig.world.recorder.record(EngineSeen(target.name, 1, process, True, log))
        keeping = Housekeeping(rig.world, supervisor, LIMIT)
        reader = FileLog(log)
        for _ in range(3):
            await asyncio.to_thread(wait_until, lambda: Path(log).stat().st_size > LIMIT, "it is over the limit")
            await keeping.cut_logs()
            chunk = await asyncio.to_thread(reader.new_lines)
            assert sum(len(line) for line in chunk.lines) <= MB
            assert Path(f"{log}.1").stat().st_size <= 2 * LIMIT
        reader.close()
    finally:
        going_on.unlink()
        await supervisor.stop(target, process, 5.0)
    assert len(list(Path(log).parent.iterdir())) == 2
    [told] = rig.events(WorkFailed)
    assert (told.work, told.error) == (
        f"keep the log of {target.name}",
        "it prints more than is kept: the last 4 MB of before, and what came since",
    )


def test_the_end_of_a_log_that_is_cut_is_kept(tmp_path: Path) -> None:
    log = tmp_path / "run-0001.log"
    log.write_bytes(b"a" * 100 + b"b" * 50)
    assert not rotate_log(log, 150)
    assert rotate_log(log, 50)
    assert log.read_bytes() == b""
    assert (tmp_path / "run-0001.log.1").read_bytes() == b"b" * 50
    assert (tmp_path / "run-0001.log.1").stat().st_mode & 0o777 == 0o600


def test_where_nothing_can_be_kept_the_disk_is_saved(tmp_path: Path) -> None:
    log = tmp_path / "run-0001.log"
    log.write_bytes(b"a" * 100)
    (tmp_path / "run-0001.log.1").mkdir()  # stands for a disk without room
    assert rotate_log(log, 50)
    assert log.read_bytes() == b""
