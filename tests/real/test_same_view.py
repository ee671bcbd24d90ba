"""What a watcher sees of a real engine's faults is what is kept of it, and so what the practice engine is held to.

The faults of its start are looked at in test_start.py.
"""

import asyncio
import signal
from collections.abc import Callable

import pytest

from tests.real.clients import Clients
from tests.real.engine import API_SERVER, ENGINE_CORE, WORKER, Scratch, find, free_port
from tests.real.watch import Watch
from tests.views import OBSERVE, check, view

SETTLED = 10.0  # seconds after the diagnosis in which an engine that will end has ended


def send(title: str, number: signal.Signals) -> Callable[[int], None]:
    return lambda session: find(session, title).send_signal(number)


BREAK = {
    "engine-core-died": send(ENGINE_CORE, signal.SIGKILL),
    "worker-killed": send(WORKER, signal.SIGKILL),
    "engine-hung": send(ENGINE_CORE, signal.SIGSTOP),
    "api-server-killed": send(API_SERVER, signal.SIGKILL),
}


@pytest.mark.parametrize("fault", BREAK)
async def test_broken_while_it_serves(scratch: Scratch, fault: str) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    config = scratch.folder / "paramedic.yaml"
    config.write_text(OBSERVE)
    watch = await Watch.of_engine(scratch, port, options=("--config", str(config))).start()
    session = await watch.engine()
    await watch.serving()
    async with Clients(url, 4) as clients:
        await clients.flowing()
        BREAK[fault](session)
        await watch.wait("DiagnosisMade", 60)
        await asyncio.sleep(SETTLED)
        check(fault, view(url, session, watch.entries))
    await watch.end()
