"""The console's HTTP server, in the daemon's own loop."""

import asyncio
import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import uvicorn
from starlette.applications import Starlette

_CLOSE_S = 2


class ConsoleServer(uvicorn.Server):
    """uvicorn without its signal handlers: signals are the daemon's."""

    _task: asyncio.Task[None]

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def begin(self, listener: socket.socket) -> None:
        """Serve in a task of the running loop."""
        self._task = asyncio.create_task(self.serve(sockets=[listener]), name="console")

    async def stop(self) -> None:
        """End the streams, finish what is being answered (2 s at most) and close."""
        app = self.config.app
        if isinstance(app, Starlette):
            app.state.closing.set()
        self.should_exit = True
        with suppress(asyncio.CancelledError):
            await self._task


async def serve(app: Starlette, host: str, port: int) -> tuple[ConsoleServer, int]:
    """Serve `app`; returns the server (end it with `await server.stop()`) and the port that it got.

    A wanted port that another program holds is replaced by a free one. Raises OSError for an address that is not ours.
    """
    listener = _listen(host, port)
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        ws="none",
        server_header=False,
        timeout_graceful_shutdown=_CLOSE_S,
    )
    server = ConsoleServer(config)
    server.begin(listener)
    return server, listener.getsockname()[1]


def _listen(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    for wanted in dict.fromkeys((port, 0)):
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address[0], wanted, *address[2:]))
            listener.listen(128)  # now, so that nobody else can take the port and callers need not try twice
        except OSError as error:
            listener.close()
            if error.errno != errno.EADDRINUSE or wanted == 0:
                raise
        else:
            listener.setblocking(False)
            return listener
    raise OSError(errno.EADDRINUSE, "no free port")
