"""What the kernel said since an engine began: out of memory, GPU errors, processes that crashed."""

import os
import subprocess
import time
from dataclasses import dataclass

LIMIT = 1_000_000  # bytes, the last ones
TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class KernelLog:
    """`why_not` says why there are no lines, "" where the kernel just said nothing."""

    lines: tuple[str, ...] = ()
    why_not: str = ""


def kernel_log(since: float) -> KernelLog:
    """Its lines since `since` (epoch seconds), each with its time. At most 10 s; raises nothing."""
    moment = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(since))
    reasons = []
    for command in (
        ("dmesg", "--time-format", "iso", "--since", moment),
        ("journalctl", "-k", "--no-pager", "-o", "short-iso", "--since", moment),
    ):
        lines, problem = _said(command)
        if lines is not None:
            return KernelLog(tuple(lines))
        reasons.append(f"{command[0]}: {problem}")
    return KernelLog(why_not="; ".join(reasons))


def _said(command: tuple[str, ...]) -> tuple[list[str] | None, str]:
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=TIMEOUT_S,
            check=False,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
        )
    except FileNotFoundError:
        return None, "not on this machine"
    except PermissionError:
        return None, "may not be run by this user"
    except (subprocess.TimeoutExpired, OSError):
        return None, "gave no answer"
    said = done.stderr.decode(errors="replace").strip()
    if done.returncode != 0:
        return None, (said.splitlines() or [f"ended with {done.returncode}"])[-1][:200]
    text = done.stdout[-LIMIT:].decode(errors="replace")
    lines = [line for line in text.splitlines()[len(done.stdout) > LIMIT :] if not line.startswith("-- ")]
    if not lines and said:
        return None, said.splitlines()[-1][:200]  # journalctl tells that it may not look, and calls it success
    return lines, ""
