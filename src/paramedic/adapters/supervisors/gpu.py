"""Which processes hold GPU memory, as the driver says."""

import asyncio
import contextlib
import shutil

QUERY = ("--query-compute-apps=pid,used_memory", "--format=csv,noheader,nounits")


async def gpu_processes(timeout_s: float = 5.0) -> list[tuple[int, str]] | None:
    """(pid, MiB) of each; None where there is no `nvidia-smi`, or it gives no answer in time."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return None
    answer = await output_of(program, *QUERY, timeout_s=timeout_s)
    if answer is None:
        return None
    rows = [line.split(",") for line in answer.splitlines()]
    return [(int(row[0]), row[1].strip()) for row in rows if len(row) == 2 and row[0].strip().isdigit()]


async def output_of(*command: str, timeout_s: float) -> str | None:
    """What that command prints; None when it fails or takes longer (it is killed then)."""
    try:
        child = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError:
        return None
    try:
        async with asyncio.timeout(timeout_s):
            out, _ = await child.communicate()
    except TimeoutError:
        return None
    finally:
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()
    return out.decode(errors="replace") if child.returncode == 0 else None
