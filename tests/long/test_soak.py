"""Minutes of wall time on the practice engine: nothing false, memory and files bounded."""

import os
import time
from pathlib import Path

import psutil
import pytest

from tests.integration.watching import Watch, ask, watching

MINUTES = float(os.environ.get("PARAMEDIC_SOAK_MINUTES", "20"))
SETTLED = 0.25  # of the time: until then caches fill
MOST_GROWTH = 25e6  # bytes of memory after that
MOST_BYTES_A_MINUTE = 1.5e6  # on the disk, at a look every second

pytestmark = [pytest.mark.long, pytest.mark.timeout(int(MINUTES * 60) + 300)]


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_a_quiet_engine_stays_quiet_and_paramedic_small(tmp_path: Path) -> None:
    (tmp_path / "paramedic.yaml").write_text("server: {port: 0}\ninterval: 1s\n")
    with watching(tmp_path) as start:
        watch: Watch = start("--for", f"{MINUTES * 60 + 120:.0f}s")
        watch.wait("StateChanged", 60, after="serving")
        paramedic = psutil.Process(watch.process.pid)
        began, sizes, settled = time.monotonic(), [size_of(watch.data)], 0
        while (passed := time.monotonic() - began) < MINUTES * 60:
            time.sleep(5)
            assert watch.process.poll() is None, watch.story()
            if not settled and passed > MINUTES * 60 * SETTLED:
                settled = paramedic.memory_info().rss
            sizes.append(size_of(watch.data))
        grown, files = paramedic.memory_info().rss - settled, paramedic.num_fds()
        cpu = sum(paramedic.cpu_times()[:2]) / (time.monotonic() - began)
        kept = (sizes[-1] - sizes[0]) / MINUTES
        told = f"memory +{grown / 1e6:.1f} MB, {files} files open, {kept / 1e6:.2f} MB a minute, {cpu:.1%} of a core"
        print(f"\n{MINUTES:.0f} minutes: {told}")
        assert watch.seen("AlertFired") == [], watch.story()
        assert watch.seen("WorkFailed") == [], watch.story()
        assert watch.seen("ActionStarted") == []
        assert [one["state"] for one in ask(watch.data, "status")["targets"]] == ["serving"]
        assert grown < MOST_GROWTH
        assert files < 100
        assert kept < MOST_BYTES_A_MINUTE
        assert watch.end() == 0
