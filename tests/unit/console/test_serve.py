"""The server in our loop: its port, its signals and its end."""

import signal
import socket

import pytest

from paramedic.console.serve import serve
from paramedic.console.server import build
from tests.fakes.console import TOKEN, Console, PretendDaemon


async def test_a_taken_port_is_replaced_by_a_free_one(console: Console) -> None:
    server, port = await serve(build(PretendDaemon(), TOKEN), "127.0.0.1", console.port)
    try:
        assert port not in (0, console.port)
        with socket.create_connection(("127.0.0.1", port), timeout=30):
            pass
    finally:
        await server.stop()


async def test_an_address_that_is_not_ours_is_an_error() -> None:
    with pytest.raises(OSError, match="ssign"):
        await serve(build(PretendDaemon(), TOKEN), "192.0.2.1", 0)


async def test_signals_stay_the_daemons() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    server, _ = await serve(build(PretendDaemon(), TOKEN), "127.0.0.1", 0)
    try:
        assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
    finally:
        await server.stop()


async def test_after_its_end_the_port_is_free(console: Console) -> None:
    await console.server.stop()
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", console.port))
