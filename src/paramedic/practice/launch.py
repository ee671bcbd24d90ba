"""Turns a `paramedic practice serve` into the process that looks like `vllm serve`."""

import os
import socket
import sys
from pathlib import Path

from paramedic.model.errors import UsageError
from paramedic.practice.settings import ENVIRONMENT, FIRST_PORT, HOST, Settings

_PORTS_TRIED = 200


def first_free_port() -> int:
    """The first port from 8210 on which nobody listens. Raises UsageError when there is none."""
    for port in range(FIRST_PORT, FIRST_PORT + _PORTS_TRIED):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
                probe.listen()
            except OSError:
                continue
            return port
    raise UsageError(f"no free port between {FIRST_PORT} and {FIRST_PORT + _PORTS_TRIED - 1}: name one with --port")


def command(settings: Settings) -> list[str]:
    """The command line of the pretended server. Its script is written where it is not there yet."""
    script = Path(settings.data_dir) / "practice" / "bin" / "vllm"
    text = f"#!{sys.executable}\nfrom paramedic.practice.server import main\n\nmain()\n"
    if not script.is_file() or script.read_text("utf-8") != text:
        script.parent.mkdir(parents=True, exist_ok=True)
        fresh = script.with_name(f"vllm.{os.getpid()}.new")
        fresh.write_text(text, "utf-8")
        fresh.chmod(0o700)
        fresh.replace(script)
    return [sys.executable, str(script), *settings.vllm_arguments()]


def become_server(settings: Settings) -> None:
    """Replace this process by the server; never returns."""
    argv = command(settings)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(argv[0], argv, {**os.environ, ENVIRONMENT: settings.environment()})  # noqa: S606 (no shell is wanted)
