"""A real vLLM on the CPU: how it is started, which processes it has, and how nothing of it is left behind."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import psutil

ROOT = Path(__file__).parents[2]
VENV = Path(os.environ.get("PARAMEDIC_VLLM", ROOT / ".venv-vllm"))
MODEL = ROOT / ".cache" / "tiny-model"
SHARED_MEMORY = Path("/dev/shm")
READY_WITHIN = 300.0  # seconds; 30 to 75 are usual on two cores
API_SERVER, ENGINE_CORE, WORKER = "vllm serve", "VLLM::EngineCore", "VLLM::Worker"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def serve(port: int, *flags: str, model: Path = MODEL, eager: bool = True) -> list[str]:
    """The command line of an engine on this port. Without a KV size, the CPU engine takes the whole memory."""
    command = [str(VENV / "bin" / "vllm"), "serve", str(model), "--served-model-name", "tiny", "--host", "127.0.0.1"]
    command += ["--port", str(port), "--kv-cache-memory-bytes", "256M", *(["--enforce-eager"] if eager else [])]
    return [*command, *([] if "--max-num-seqs" in flags else ["--max-num-seqs", "8"]), *flags]


def started_at(pid: int) -> float:
    """Epoch seconds of a process's start, to 10 ms (psutil's are rounded to the boot's whole second)."""
    ticks = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + ticks / os.sysconf("SC_CLK_TCK")


def members(session: int) -> list[psutil.Process]:
    """The live processes of a session: an engine with all it has started, orphans too."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
            if os.getsid(process.pid) == session and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def find(session: int, title: str) -> psutil.Process:
    """The process of an engine with this title (API_SERVER, ENGINE_CORE, WORKER)."""
    titles = {}
    for process in members(session):
        with contextlib.suppress(psutil.NoSuchProcess):
            titles[process] = " ".join(process.cmdline())
    for process, own in titles.items():
        if title in own if title == API_SERVER else own.startswith(title):
            return process
    raise AssertionError(f"no {title} in session {session}: {list(titles.values())}")


def end_session(session: int) -> None:
    """Kill every process of a session of ours and wait until it is gone."""
    assert session not in (0, 1, os.getsid(0)), "that is not a session of ours"
    for _ in range(20):
        left = members(session)
        if not left:
            return
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, timeout=5)
    raise AssertionError(f"still alive: {members(session)}")


class Scratch:
    """A folder and an environment of its own for one test; `close` ends its `sessions` and removes all traces."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="pm-", dir="/tmp"))  # short: sockets lie in it, 107 bytes at most
        self.data = self.folder / "data"
        self.sessions: set[int] = set()
        self.processes: list[asyncio.subprocess.Process] = []  # ours, each the leader of one of the sessions
        self._shared_before = set(SHARED_MEMORY.iterdir())
        (self.folder / "t").mkdir()

    @property
    def environment(self) -> dict[str, str]:
        own = {"TMPDIR": f"{self.folder}/t", "VLLM_RPC_BASE_PATH": f"{self.folder}/t"}
        quiet = {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}
        kept = {"VLLM_CACHE_ROOT": str(ROOT / ".cache" / "vllm")}
        return {**os.environ, **quiet, **kept, **own}

    def adopt(self, process: asyncio.subprocess.Process) -> None:
        """A process that we started in a session of its own ends with us."""
        self.processes.append(process)
        self.sessions.add(process.pid)

    async def close(self) -> None:
        for session in self.sessions:
            end_session(session)
        for process in self.processes:
            await process.wait()
        for path in set(SHARED_MEMORY.iterdir()) - self._shared_before - set(mapped_by_someone()):
            if path.name.startswith(("psm_", "sem.", "torch_")):
                path.unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)


def mapped_by_someone() -> Iterator[Path]:
    """The shared memory that a live process has mapped: not ours to remove."""
    for maps in Path("/proc").glob("[0-9]*/maps"):
        with contextlib.suppress(OSError):
            for line in maps.read_text(errors="replace").splitlines():
                if "/dev/shm/" in line:
                    yield Path(line[line.index("/dev/shm/") :].removesuffix(" (deleted)"))


class BareEngine:
    """An engine that a person started, not Paramedic. Its session is its API server's pid."""

    def __init__(self, scratch: Scratch, *flags: str, environment: dict[str, str] | None = None) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = scratch.folder / f"bare-{self.port}.log"
        self._scratch = scratch
        self._command = serve(self.port, *flags)
        self._environment = {**scratch.environment, **(environment or {})}

    async def start(self) -> int:
        with self.log.open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *self._command, stdout=log, stderr=log, env=self._environment, start_new_session=True
            )
        self._scratch.adopt(process)
        await ready(self.url, process.pid)
        return process.pid


async def ready(url: str, pid: int | None = None, within: float = READY_WITHIN) -> float:
    """Wait until /health answers 200; the epoch seconds of that. Fails at once when the process has ended."""
    deadline = time.monotonic() + within
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
        while time.monotonic() < deadline:
            assert pid is None or psutil.pid_exists(pid), f"{url}: the engine ended while it was starting"
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with session.get(f"{url}/health") as answer:
                    if answer.status == 200:
                        return time.time()
            await asyncio.sleep(0.05)
    raise AssertionError(f"{url} was not ready within {within:.0f} s")


def pause(process: psutil.Process) -> None:
    process.send_signal(signal.SIGSTOP)


def go_on(process: psutil.Process) -> None:
    process.send_signal(signal.SIGCONT)
