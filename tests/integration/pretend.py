"""Real processes that look like an engine's: an API server that runs `vllm serve`, its core, a worker, a tracker."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import psutil

from paramedic.adapters.processes.linux import LinuxProcesses
from paramedic.ports import Candidate

T = TypeVar("T")
PATIENCE_S = 60.0

SCRIPT = """
import os, signal, socket, subprocess, sys, time
import setproctitle

def wait():
    while os.path.exists(FOLDER):  # a test that was killed leaves nobody behind for ever
        time.sleep(0.2)

FOLDER = os.path.dirname(os.path.abspath(__file__))
words = sys.argv[1:]
if "--deaf" in words:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
more = [word for word in words if word in ("--deaf", "--own-session")]
if words[0] == "core":
    setproctitle.setproctitle("VLLM::EngineCore")
    worker = subprocess.Popen([sys.executable, __file__, "worker", *more], start_new_session=False)
    wait()
elif words[0] == "worker":
    setproctitle.setproctitle("VLLM::Worker_TP0")
    if "--own-session" in words:
        os.setpgid(0, 0)
    wait()
elif words[0] == "serve":
    print("starting, key", os.environ.get("VLLM_API_KEY", ""), flush=True)
    core = subprocess.Popen([sys.executable, __file__, "core", *more])
    if "--exit-with" in words:
        time.sleep(0.2)
        core.kill()
        sys.exit(int(words[words.index("--exit-with") + 1]))
    if "--port" in words:
        door = socket.socket()
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind(("127.0.0.1", int(words[words.index("--port") + 1])))
        while os.path.exists(os.path.join(FOLDER, "hold")):
            time.sleep(0.05)
        door.listen(5)
    print("listening", flush=True)
    wait()
"""


def write_vllm(folder: Path) -> Path:
    """A program named `vllm`, as its console script is."""
    program = folder / "vllm"
    program.write_text(f"#!{sys.executable}\n{SCRIPT}")
    program.chmod(0o755)
    return program


@contextlib.contextmanager
def session(*argv: str, **options: object) -> Iterator["subprocess.Popen[bytes]"]:
    """That command in a session of its own, of which nothing is left afterwards."""
    child = subprocess.Popen(argv, start_new_session=True, **options)  # type: ignore[call-overload]
    try:
        yield child
    finally:
        end_session(child.pid)
        child.wait(PATIENCE_S)


def end_session(leader: int) -> None:
    """Kill until nobody is left: a process may be born while we look."""

    def all_gone() -> bool:
        left = in_session(leader)
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        return not left

    until(all_gone)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def in_session(leader: int) -> list[psutil.Process]:
    """Who is alive in the session that `leader` began."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
            if os.getsid(process.pid) == leader and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def servers_in(leader: int, table: LinuxProcesses) -> list[Candidate]:
    """The servers that are found in that session; those of other tests come and go meanwhile."""
    found = table.find()
    pids = {process.pid for process in in_session(leader)}
    return [one for one in found if one.process.pid in pids]


def until(look: Callable[[], T]) -> T:
    """Look until there is something; a long patience, for busy machines."""
    end = time.monotonic() + PATIENCE_S
    while not (seen := look()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)
    return seen


async def until_async(look: Callable[[], T]) -> T:
    return await asyncio.to_thread(until, look)


def stop_process(pid: int) -> None:
    os.kill(pid, signal.SIGSTOP)
    until(lambda: psutil.Process(pid).status() == psutil.STATUS_STOPPED)
