"""The daemon with its view: opened, given its engines, shown, and ended as whoever ends it wants."""

import asyncio
import contextlib
import errno
import os
import secrets
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from paramedic.cli.screens.live import Show
from paramedic.model.errors import UsageError
from paramedic.model.text import Language, Text

if TYPE_CHECKING:
    from paramedic.app.config import Config
    from paramedic.app.config_file import Loaded
    from paramedic.app.daemon import Daemon
    from paramedic.app.folder import DataFolder
    from paramedic.console.serve import ConsoleServer

_DRAW_EVERY = 1.0
_DRAW_EVERY_AT_FIRST = 0.1  # a person waits for the first figures
_AT_FIRST = 5.0
_NO_SERVER = Text(
    "No vLLM server was found on this machine: a practice engine is started. Break it from a second shell: {}",
    "本机没有找到 vLLM 服务：已启动练习引擎。可在另一个终端里弄坏它：{}",
)
_OTHER_PORT = Text(
    "Port {} is taken by another program: the API listens on port {}; the commands find it there.",
    "端口 {} 已被其他程序占用：API 改用端口 {}，命令会自动找到它。",
)
_LOG_ABSENT = Text("The log {} is not there{}; it is read as soon as it is.", "日志 {} 不存在{}；出现后会立即读取。")
_LOG_UNREADABLE = Text("The log {} cannot be read: {}", "日志 {} 无法读取：{}")
_STOPPING = Text("Stopping; engines that Paramedic started are ended.", "正在停止；由 Paramedic 启动的引擎将被结束。")
_LEAVING = Text("Stopping; engines run on.", "正在停止；引擎继续运行。")


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asked for."""

    command: tuple[str, ...]
    targets: tuple[str, ...]
    name: str
    log: str
    practice: bool
    duration: float | None
    stop_engine: bool
    lang: Language


async def own(folder: "DataFolder", loaded: "Loaded", options: Options, show: Show) -> int:
    """Watch until somebody ends it, or `options.duration` is over; the exit code."""
    stop_asked = asyncio.Event()
    signals = _Signals(stop_asked)  # first of all: to begin takes a second, in which somebody may think better of it
    from paramedic.app.daemon import Daemon
    from paramedic.app.wiring import build, log_to

    try:
        log_to(folder.log)
        config = with_targets(loaded, options)
        daemon = Daemon(folder, config, build(folder, config, options.lang, show.note), stop_asked)
        for trouble in _logs_in_trouble(config, options.lang):
            show.note(trouble)
        await daemon.begin()
        cursor = _Cursor(daemon, show)
        token = secrets.token_urlsafe(24)
        server, port = await _open_api(daemon, loaded, token, options.lang, show)
        url = f"http://{config.server.host}:{port}"
        folder.write_daemon({"pid": os.getpid(), "started": time.time(), "url": url, "token": token})
        reason = "error"
        try:
            if not stop_asked.is_set():
                await _add_engines(daemon, folder, options, show)
            daemon.run()
            reason = await _watch(daemon, options.duration, signals, show, cursor)
        finally:
            leave = reason == "error" or (reason == "terminate" and not options.stop_engine)  # our end is not theirs
            if reason != "error":
                show.note((_LEAVING if leave else _STOPPING).in_language(options.lang))
            grace = 0.0 if signals.count > 1 else config.recovery.stop_grace
            await daemon.end(reason, stop_engines=not leave, grace=grace, last_look=cursor.catch_up)
            await server.stop()
    finally:
        show.close()
    return 0


def _logs_in_trouble(config: "Config", lang: Language) -> Iterator[str]:
    """A log that cannot be read now is no reason not to watch; but without it a diagnosis knows little."""
    from paramedic.knowledge.yaml_file import near

    for path in (Path(target.log) for target in config.targets if target.log):
        try:
            if path.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            os.close(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK))
        except FileNotFoundError:
            hint = near(path)
            yield _LOG_ABSENT.in_language(lang).format(path, f" ({hint})" if hint else "")
        except OSError as error:
            yield _LOG_UNREADABLE.in_language(lang).format(path, error.strerror)


async def _open_api(
    daemon: "Daemon", loaded: "Loaded", token: str, lang: Language, show: Show
) -> "tuple[ConsoleServer, int]":
    """The daemon's HTTP and its port; a wanted port that is taken is no reason not to watch."""
    from paramedic.console.serve import serve
    from paramedic.console.server import build

    wanted = loaded.config.server
    try:
        server, port = await serve(build(daemon, token), wanted.host, wanted.port)
    except OSError as error:
        await daemon.end("error", stop_engines=False, grace=0.0)
        raise UsageError(
            f"the API cannot listen at {wanted.host}:{wanted.port}: {error.strerror}. Give another server.port."
        ) from None
    if wanted.port not in (0, port) and loaded.origins.get("server.port", "default") != "default":
        show.note(_OTHER_PORT.in_language(lang).format(wanted.port, port))
    return server, port


def with_targets(loaded: "Loaded", options: Options) -> "Config":
    """The configuration with the targets of the command line."""
    from paramedic.app.config import Config, TargetConfig

    config: Config = loaded.config
    if options.command and options.targets:
        return config  # --target then tells where the started engine answers
    known = {target.url for target in config.targets}
    more = tuple(
        TargetConfig(url=url, log=str(Path(options.log).absolute()) if options.log else None)
        for url in options.targets
        if url not in known
    )
    return config.model_copy(update={"targets": (*config.targets, *more)})


async def _add_engines(daemon: "Daemon", folder: "DataFolder", options: Options, show: Show) -> None:
    from paramedic.app.daemon import practice_command

    if options.command:
        url = options.targets[0] if options.targets else ""
        await daemon.supervise(options.command, dict(os.environ), str(Path.cwd()), url, options.name)
    elif not await daemon.discover_now() and options.practice and not options.targets:
        flag = _data_dir_flag(folder)
        where = "" if "PARAMEDIC_DATA" in os.environ else flag
        hint = f"paramedic practice break engine-core-died{where}"
        show.note(_NO_SERVER.in_language(options.lang).format(hint))
        argv, url = practice_command(folder, sys.executable, own_ports=bool(flag))
        name = f"practice@{url.split('://', 1)[-1]}"
        await daemon.supervise(argv, dict(os.environ), str(Path.cwd()), url, name)


def _data_dir_flag(folder: "DataFolder") -> str:
    from paramedic.cli.options import default_data_dir

    return "" if folder.path == default_data_dir() else f" --data-dir {folder.path}"


async def _watch(daemon: "Daemon", duration: float | None, signals: "_Signals", show: Show, cursor: "_Cursor") -> str:
    """Show what happens until somebody ends it; returns who."""
    ends = {
        asyncio.ensure_future(daemon.stop_asked.wait()),
        asyncio.ensure_future(daemon.failed()),
    }
    began = time.monotonic()
    deadline = None if duration is None else began + duration
    try:
        while True:
            pause = _DRAW_EVERY_AT_FIRST if time.monotonic() - began < _AT_FIRST else _DRAW_EVERY
            cursor.catch_up()
            show.board(daemon.board)
            done, _ = await asyncio.wait(ends, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            if done:
                return signals.reason or ("stop" if daemon.stopped_by else "interrupt")
            if deadline is not None and time.monotonic() >= deadline:
                return "time"
    finally:
        for task in ends:
            task.cancel()


class _Cursor:
    """What of the journal has been shown; the past of before this daemon is not shown again."""

    def __init__(self, daemon: "Daemon", show: Show) -> None:
        self._daemon = daemon
        self._show = show
        self._seq = daemon.first_seq

    def catch_up(self) -> None:
        for entry in self._daemon.entries(self._seq):
            self._show.entry(entry)
            self._seq = entry.seq


class _Signals:
    """SIGINT (a person) and SIGTERM (a service manager) ask for the end; a second one is impatient."""

    def __init__(self, asked: asyncio.Event) -> None:
        self._asked = asked
        self.reason = ""
        self.count = 0
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, self._note, "interrupt")
        loop.add_signal_handler(signal.SIGTERM, self._note, "terminate")
        with contextlib.suppress(ValueError):
            loop.add_signal_handler(signal.SIGHUP, self._note, "terminate")

    def _note(self, reason: str) -> None:
        self.count += 1
        self.reason = self.reason or reason
        self._asked.set()
