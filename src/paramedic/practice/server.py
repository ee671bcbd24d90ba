"""The API server process of a practice engine, from its first line to its exit code."""

import asyncio
import logging
import os
import secrets
import signal
import socket
import sys
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path

import uvicorn
from setproctitle import setthreadtitle
from starlette.types import ASGIApp

from paramedic.practice.api import Api
from paramedic.practice.control import Control, Hands, Stopping
from paramedic.practice.engine_client import EngineClient
from paramedic.practice.log import Log
from paramedic.practice.metrics import EngineMetrics
from paramedic.practice.registration import Registration, registration_path
from paramedic.practice.settings import HOST, Settings, read_model_config
from paramedic.practice.stats import Stats
from paramedic.practice.traffic import Traffic
from paramedic.practice.troubles import Stage, at_stage

CLOSE_SECONDS = 1  # how long open connections may take to close


_SILENT = ContextVar("silent", default=False)


class HttpServer(uvicorn.Server):
    """uvicorn without its own signal handlers: signals are ours to interpret."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class PracticeServer:
    """One run of the server: start, serve until the engine dies or somebody ends it, leave nothing behind."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.log = Log("APIServer")
        self.config = read_model_config(Path(settings.model))
        self.metrics = EngineMetrics(
            settings.served_model_name, self.config.max_model_len, settings.data_parallel_size, settings.law.blocks
        )
        self.engine = EngineClient(settings, self.metrics, self.log)
        self.api = Api(settings, self.config.max_model_len, self.engine, self.metrics, self.log)
        self.traffic = Traffic(settings)
        self.asked_to_stop = asyncio.Event()
        self.stopping = Stopping()

    async def run(self, listener: socket.socket) -> int:
        """Serve; the exit code."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._ask_to_stop)
        try:
            if not await self._start_engine():
                return 0 if self.asked_to_stop.is_set() else 1
            await self._serve(listener)
        finally:
            self.engine.kill()
        return 0

    def _ask_to_stop(self) -> None:
        self.engine.ending = True
        self.asked_to_stop.set()

    async def _start_engine(self) -> bool:
        config = self.config
        self.log.write("api-server-start", architecture=config.architecture, max_model_len=config.max_model_len)
        if self.settings.enforce_eager:
            self.log.write("eager")
        starting = asyncio.create_task(self.engine.start())
        stopping = asyncio.create_task(self.asked_to_stop.wait())
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not starting.done():
            starting.cancel()
            return False
        if not starting.result():
            self.log.write("engine-core-init-failed", process=self.engine.failed)
            return False
        routes = "\n".join(
            f"INFO [launcher.py:195] Route: {route.path}, Methods: {', '.join(sorted(route.methods or ()))}"
            for route in self.api.routes
        )
        tasks = ["embed"] if self.settings.pooling else ["generate"]
        self.log.write("routes", url=self.settings.url, tasks=tasks, routes=routes)
        return True

    async def _serve(self, listener: socket.socket) -> None:
        http = _http_server(self.api.application())
        for logger in ("uvicorn.error", "uvicorn.access"):
            logging.getLogger(logger).addFilter(_is_spoken)
        serving = asyncio.create_task(http.serve(sockets=[listener]))
        token = secrets.token_urlsafe(24)
        control_listener = _loopback_socket()
        hands = Hands(self.engine, self.api, self.traffic, self.stopping)
        control = _silent_http_server(Control(self.settings, hands, token).application())
        controlling = asyncio.create_task(_silently(control.serve(sockets=[control_listener])))
        background = [asyncio.create_task(Stats(self.engine, self.log).run())]
        path = registration_path(Path(self.settings.data_dir), self.settings.port)
        control_url = f"http://127.0.0.1:{control_listener.getsockname()[1]}"
        registration = Registration(os.getpid(), self.settings.url, control_url, token, self.settings.model)
        try:
            ready = asyncio.create_task(_all_set(http.ready, control.ready))
            await asyncio.wait({ready, serving}, return_when=asyncio.FIRST_COMPLETED)
            registration.write(path)
            if self.settings.traffic:
                background.append(asyncio.create_task(self.traffic.run()))
            await self._until_end(serving)
            if self.stopping.waits_for_clients and not self.engine.died.is_set():
                path.unlink(missing_ok=True)
                http.config.timeout_graceful_shutdown = None
                http.should_exit = control.should_exit = True
                await serving
        finally:
            path.unlink(missing_ok=True)
            for task in background:
                task.cancel()
            self.traffic.close()
            http.should_exit = control.should_exit = True
            await asyncio.wait({serving, controlling}, timeout=3 * CLOSE_SECONDS)
        if serving.done():
            serving.result()

    async def _until_end(self, serving: "asyncio.Task[None]") -> None:
        stop = asyncio.create_task(self.asked_to_stop.wait())
        died = asyncio.create_task(self.engine.died.wait())
        await asyncio.wait({stop, died, serving}, return_when=asyncio.FIRST_COMPLETED)
        if self.engine.died.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self.asked_to_stop.wait(), self.settings.dead_seconds)
        elif self.asked_to_stop.is_set():
            self.log.write("shutdown-begin")
            if not self.stopping.waits_for_clients:
                self.engine.abort_all()
            await self.engine.stop()
            self.log.write("shutdown-end")
        stop.cancel()
        died.cancel()


def main() -> None:
    """What the pretended `vllm` does."""
    setthreadtitle("vllm")
    settings = _parse(sys.argv[1:])
    log = Log("APIServer")
    log.write("logo", model=settings.model, arguments=settings.non_default())
    try:
        listener = _bind(settings.host, settings.port)
    except OSError as error:
        log.write("bind-failed", error=error)
        sys.exit(1)
    if not Path(settings.model).is_dir():
        log.write("model-path-missing", model=settings.model)
        sys.exit(1)
    try:
        code = asyncio.run(PracticeServer(settings).run(listener))
    except OSError as error:  # another server listened on our port first
        log.lines(f"{type(error).__name__}: {error}")
        code = 1
    sys.exit(code)


def _parse(arguments: list[str]) -> Settings:
    """Read the command line; a version after an upgrade does not know every flag any more."""
    data_dir = Path(sys.argv[0]).absolute().parents[2]
    settings = Settings.parse(arguments, os.environ, data_dir)
    if at_stage(settings.data_dir, settings.port, Stage.ARGUMENTS):
        Settings.parse(arguments, os.environ, data_dir, without={"--no-enable-prefix-caching"})
    return settings


async def _all_set(*events: asyncio.Event) -> None:
    for event in events:
        await event.wait()


def _bind(host: str, port: int) -> socket.socket:
    """Bind as the real server does: at once, while it begins to listen only when the engine is ready."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    return listener


def _loopback_socket() -> socket.socket:
    return _bind(HOST, 0)


def _http_server(app: ASGIApp) -> HttpServer:
    return HttpServer(
        uvicorn.Config(app, log_level="info", use_colors=False, lifespan="on", timeout_graceful_shutdown=CLOSE_SECONDS)
    )


def _silent_http_server(app: ASGIApp) -> HttpServer:
    """A second server, of which the log of the pretended one must not speak."""
    return HttpServer(uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=CLOSE_SECONDS))


async def _silently(serving: Awaitable[None]) -> None:
    _SILENT.set(True)
    await serving


def _is_spoken(_: logging.LogRecord) -> bool:
    return not _SILENT.get()
