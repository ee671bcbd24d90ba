"""What a hung engine was doing, written down before it is ended."""

import asyncio
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil

from paramedic.adapters.processes.stat import PROC, read_bytes
from paramedic.adapters.supervisors.gpu import gpu_processes, output_of
from paramedic.model.target import EngineProcess

ONE_S = 5.0
WHOLE_S = 15.0


async def describe(processes: Sequence[EngineProcess]) -> str:
    """Stacks, kernel state, connections and GPU processes as one text. At most 15 s; what is missing says so."""
    parts = {"GPU": asyncio.create_task(_gpu(processes))}
    for process in processes:
        name = f"{process.role} pid {process.pid} {process.title}"
        parts[name] = asyncio.create_task(_process(process))
    try:
        await asyncio.wait(parts.values(), timeout=WHOLE_S)
    finally:
        for task in parts.values():
            task.cancel()
    await asyncio.wait(parts.values(), timeout=ONE_S)
    return "\n".join(f"== {name}\n{_result(task)}" for name, task in reversed(parts.items()))


def _result(task: "asyncio.Task[str]") -> str:
    if not task.done() or task.cancelled():
        return f"no answer within {WHOLE_S:g} s\n"
    return task.result()


async def _process(process: EngineProcess) -> str:
    stacks, kernel, connections = await asyncio.gather(
        _stacks(process.pid),
        asyncio.to_thread(_kernel_state, process.pid),
        asyncio.to_thread(_connections, process.pid),
    )
    return f"{kernel}\n-- Python stacks\n{stacks}\n-- connections\n{connections}\n"


async def _stacks(pid: int) -> str:
    """By py-spy, which reads memory and does not stop the process. Its first line, the arguments, may hold keys."""
    beside_us = Path(sys.executable).parent / "py-spy"
    program = str(beside_us) if beside_us.exists() else shutil.which("py-spy")
    if program is None:
        return "py-spy is not installed"
    dump = await output_of(program, "dump", "--nonblocking", "--pid", str(pid), timeout_s=ONE_S)
    if dump is None:
        return f"py-spy could not read them (no right to, no Python, ended, or more than {ONE_S:g} s)"
    return "\n".join(line for line in dump.splitlines() if not line.startswith("Process "))


def _kernel_state(pid: int) -> str:
    status = read_bytes(pid, "status", 8192).decode(errors="replace")
    wanted = ("State:", "PPid:", "Threads:", "VmRSS:", "VmSwap:", "SigPnd:", "ShdPnd:", "Cpus_allowed_list:")
    lines = [line for line in status.splitlines() if line.startswith(wanted)]
    lines.append(f"waits in: {read_bytes(pid, 'wchan', 256).decode(errors='replace') or 'unknown'}")
    lines.append(read_bytes(pid, "stack", 4096).decode(errors="replace").rstrip() or "kernel stack: not readable")
    if not Path(PROC, str(pid)).exists():
        lines.insert(0, "the process has ended")
    return "\n".join(lines)


def _connections(pid: int) -> str:
    try:
        found = psutil.Process(pid).net_connections(kind="inet")
    except (psutil.Error, OSError) as problem:
        return f"could not be read ({type(problem).__name__})"
    lines = [f"{one.status} {_place(one.laddr)} {_place(one.raddr)}" for one in found[:500]]
    return "\n".join(lines) or "none"


def _place(address: object) -> str:
    return f"{address[0]}:{address[1]}" if isinstance(address, tuple) and len(address) == 2 else "-"


async def _gpu(processes: Sequence[EngineProcess]) -> str:
    found = await gpu_processes(ONE_S)
    if found is None:
        return "no answer from nvidia-smi: it is absent, or the driver hangs\n"
    ours = {process.pid: process.title for process in processes}
    lines = [f"pid {pid}: {mib} MiB {ours.get(pid, '(not of this engine)')}" for pid, mib in found]
    return "\n".join(lines or ["no process holds GPU memory"]) + "\n"
