"""A practice engine as a test starts, watches and ends it."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import aiohttp
import psutil
from click.testing import CliRunner

from paramedic.cli.diagnose import command as diagnose
from paramedic.practice import launch
from paramedic.practice.model_folder import make_own_model
from paramedic.practice.settings import ENVIRONMENT, Settings

PATIENCE = 30.0  # seconds; two busy cores are slow


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(condition: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.05)


def cli(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `paramedic practice ...` and wait for its end."""
    command = [sys.executable, "-m", "paramedic", "practice", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def first_cause(log: Path) -> str:
    """What `paramedic diagnose` names first."""
    done = CliRunner().invoke(diagnose, [str(log), "--json"])
    assert done.exit_code == 1, done.output
    return str(json.loads(done.output)["findings"][0]["cause"])


class PracticeEngine:
    """One run of `paramedic practice serve` in its own session, its log in a file.

    With `environment`, what `serve` becomes is started itself, by its visible command line.
    """

    def __init__(self, data_dir: Path, port: int, *options: str, environment: dict[str, object] | None = None) -> None:
        self.data_dir = data_dir
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.log_file = data_dir.with_suffix(".log")
        self._log_start = self.log_file.stat().st_size if self.log_file.exists() else 0
        command = [sys.executable, "-m", "paramedic", "practice", "serve", "--port", str(port)]
        command += ["--data-dir", str(data_dir), "--start-seconds", "0.1", "--dead-seconds", "0.2", *options]
        if environment is not None:
            settings = Settings(str(make_own_model(data_dir)), port, str(data_dir))
            command = launch.command(settings)
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                env={**os.environ, ENVIRONMENT: json.dumps(environment)} if environment is not None else None,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def log(self) -> str:
        """What this run has written."""
        return self.log_file.read_bytes()[self._log_start :].decode()

    def get(self, path: str, timeout: float = 10.0) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request("GET", path)
            reply = connection.getresponse()
            return reply.status, reply.read().decode()
        finally:
            connection.close()

    def health(self) -> int | None:
        """The status of /health; None where nobody answers."""
        try:
            return self.get("/health")[0]
        except (OSError, http.client.HTTPException):
            return None

    def ready(self) -> "PracticeEngine":
        """Wait until it serves, and make sure that it is ours."""
        wait_until(lambda: self.health() == 200 or self.process.poll() is not None, "ready")
        assert self.process.poll() is None, self.log
        assert str(self.data_dir) in json.loads(self.get("/v1/models")[1])["data"][0]["root"]
        wait_until(lambda: (self.data_dir / "practice" / f"{self.port}.json").exists(), "registered")
        return self

    def metric(self, name: str, **labels: str) -> float:
        """The value of the one sample of that name with these labels."""
        lines = [line for line in self.get("/metrics")[1].splitlines() if line.startswith(f"{name}{{")]
        wanted = [line for line in lines if all(f'{key}="{value}"' in line for key, value in labels.items())]
        assert len(wanted) == 1, wanted
        return float(wanted[0].rsplit(" ", 1)[1])

    def family(self) -> dict[str, psutil.Process]:
        """Its living processes below the API server, by title."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        return {child.cmdline()[0].strip(): child for child in children}

    def exit_code(self) -> int:
        return self.process.wait(PATIENCE)

    def left_behind(self) -> list[int]:
        """Living processes of its session."""
        alive = []
        for process in psutil.process_iter():
            with suppress(psutil.Error, ProcessLookupError):
                if os.getsid(process.pid) == self.process.pid and process.status() != psutil.STATUS_ZOMBIE:
                    alive.append(process.pid)
        return alive

    def end(self) -> None:
        """Whatever state it is in."""
        for pid in {self.process.pid, *self.left_behind()}:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(PATIENCE)


@contextmanager
def practice_engine(data_dir: Path, *options: str, port: int | None = None) -> Iterator[PracticeEngine]:
    engine = PracticeEngine(data_dir, port or free_port(), *options)
    try:
        yield engine
    finally:
        engine.end()


async def stream(engine: PracticeEngine, max_tokens: int, heard: list[str] | None = None) -> list[str]:
    """The `data:` lines of one completion, added to `heard` as they come."""
    lines = heard if heard is not None else []
    asked = {"prompt": "count", "max_tokens": max_tokens, "ignore_eos": True, "stream": True}
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE)) as session,
        session.post(f"{engine.url}/v1/completions", json=asked) as reply,
    ):
        assert reply.status == 200
        async for line in reply.content:
            if line.strip():
                lines.append(line.decode().strip())
    return lines
