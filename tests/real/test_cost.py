"""What Paramedic itself costs while it watches one real server with its view drawn."""

import asyncio
import os
import pty
import signal
import struct
import time
from fcntl import ioctl
from termios import TIOCSWINSZ

import psutil
import pytest

from tests.real.clients import Clients
from tests.real.engine import BareEngine, Scratch, end_session
from tests.real.watch import PARAMEDIC

MINUTES = 5
CPU = 0.03  # of one core, its start included
MEMORY = 120 * 2**20  # bytes resident, at any time


@pytest.mark.timeout(1200)
async def test_five_minutes_with_the_view_drawn(scratch: Scratch) -> None:
    engine = BareEngine(scratch)
    await engine.start()
    screen, terminal = pty.openpty()
    ioctl(terminal, TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    drawn = read_always(screen)
    async with Clients(engine.url, 2) as clients:
        process = await asyncio.create_subprocess_exec(
            PARAMEDIC, "watch", "--data-dir", str(scratch.data), stdin=terminal, stdout=terminal, stderr=terminal,
            env={**scratch.environment, "TERM": "xterm-256color"}, start_new_session=True,
        )  # fmt: skip
        os.close(terminal)
        scratch.adopt(process)
        used, most, seconds = await measure(process.pid, MINUTES * 60)
        await clients.flowing()
    share = 100 * used / seconds
    print(f"{used:.2f} s of CPU in {seconds:.0f} s: {share:.2f} % of a core; {most / 2**20:.0f} MiB at most")
    process.send_signal(signal.SIGINT)
    await asyncio.wait_for(process.wait(), 30)
    asyncio.get_running_loop().remove_reader(screen)
    os.close(screen)
    end_session(process.pid)
    assert b"tiny" in drawn, bytes(drawn[-2000:])
    assert used / seconds < CPU
    assert most < MEMORY


def read_always(screen: int) -> bytearray:
    """What comes to the screen, as it comes; over when the last user of its terminal has closed it."""
    drawn = bytearray()
    loop = asyncio.get_running_loop()

    def read() -> None:
        try:
            drawn.extend(os.read(screen, 65536))
        except OSError:
            loop.remove_reader(screen)

    loop.add_reader(screen, read)
    return drawn


async def measure(pid: int, seconds: float) -> tuple[float, int, float]:
    """CPU seconds, the most resident bytes, and how long it really was."""
    process = psutil.Process(pid)
    began, most = time.monotonic(), 0
    while time.monotonic() - began < seconds:
        await asyncio.sleep(1)
        most = max(most, process.memory_info().rss)
    times = process.cpu_times()
    own = times.user + times.system + times.children_user + times.children_system
    return own, most, time.monotonic() - began
