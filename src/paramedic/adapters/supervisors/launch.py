"""One start of an engine: its own session, its log in a file, everything else as it was the first time."""

import errno
import logging
import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from paramedic.adapters.supervisors.spec import Spec, make_private
from paramedic.model.errors import ParamedicError

LOGGER = logging.getLogger(__name__)

KEPT_RUNS = 10
MB = 1024 * 1024
LOG_LIMIT = 256 * MB


def launch(spec: Spec, log_file: Path) -> "subprocess.Popen[bytes]":
    """Start it. Raises ParamedicError, in words for a person, when it cannot be started."""
    _check(spec)
    make_private(log_file.parent)
    out = os.open(log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        child = subprocess.Popen(
            spec.argv,
            env=dict(spec.env),
            cwd=spec.cwd,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
            umask=spec.umask,
            **_user(spec),
        )
    except OSError as problem:
        raise ParamedicError(_why_not(spec, problem)) from None
    finally:
        os.close(out)
    _restore_limits(child.pid, spec)
    return child


def run_log(logs: Path, run: int) -> Path:
    return logs / f"run-{run:04d}.log"


def runs_in(logs: Path) -> Iterator[tuple[int, Path]]:
    """(run, file) of every log that is there."""
    for file in logs.glob("run-*.log*"):
        number = file.name.split(".")[0].removeprefix("run-")
        if number.isdigit():
            yield int(number), file


def forget_old_runs(logs: Path) -> None:
    """Keep the logs of the last runs only."""
    found = sorted(runs_in(logs))
    kept = sorted({run for run, _ in found})[-KEPT_RUNS:]
    for run, file in found:
        if run not in kept:
            file.unlink(missing_ok=True)


def rotate_log(file: Path, limit: int = LOG_LIMIT) -> bool:
    """Empty a log of more than `limit` bytes, whose last are kept as NAME.1: its writer holds it open, and appends.

    What is written meanwhile is kept too, up to as much again. Where there is no room for NAME.1 the log is emptied
    all the same: a disk that is full is the greater loss.
    """
    if not file.exists() or (size := file.stat().st_size) <= limit:
        return False
    kept = file.with_name(file.name + ".1")
    try:
        with file.open("rb") as log, open(kept, "wb", opener=_private) as copy:
            log.seek(size - limit)
            left = 2 * limit
            while block := log.read(min(MB, left)):
                left -= copy.write(block)
    except OSError as problem:
        LOGGER.warning("%s is emptied, and nothing of it is kept: %s", file, problem.strerror)
        with suppress(OSError):
            kept.unlink()
    os.truncate(file, 0)
    return True


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _check(spec: Spec) -> None:
    if not spec.argv:
        raise ParamedicError(
            "there is no command to start; write it after `--`, as in `paramedic watch -- vllm serve MODEL`"
        )
    if not Path(spec.cwd).is_dir():
        raise ParamedicError(
            f"the folder in which {spec.argv[0]} was started is gone: {spec.cwd}; make it again, or start anew"
        )
    if os.geteuid() != 0 and spec.uid != os.getuid():
        raise ParamedicError(
            f"{spec.argv[0]} was started by the user with the id {spec.uid}, and this is user {os.getuid()}; "
            "run Paramedic as that user or as root"
        )
    name = spec.argv[0]
    if "/" not in name and shutil.which(name, path=spec.env.get("PATH", os.defpath)) is None:
        raise ParamedicError(
            f"{name}: no such command in the PATH of its environment; give its path, or activate its environment first"
        )


def _why_not(spec: Spec, problem: OSError) -> str:
    name = spec.argv[0]
    if problem.errno == errno.ENOENT:
        return (
            f"{name}: no such file, or the interpreter in its first line does not exist; give the path of the command"
        )
    if problem.errno == errno.EACCES:
        return f"{name}: not executable for this user; `chmod +x` it, or check the folder's permissions"
    if problem.errno == errno.ENOEXEC:
        return f"{name}: neither a program nor a script with a first line such as `#!/usr/bin/env python3`"
    return f"{name} could not be started: {problem.strerror}"


def _user(spec: Spec) -> dict[str, Any]:
    """As whom, where that is another than we are (only root can)."""
    if os.geteuid() != 0 or spec.uid == os.getuid():
        return {}
    return {"user": spec.uid, "group": spec.gid, "extra_groups": spec.groups}


def _restore_limits(pid: int, spec: Spec) -> None:
    """Limits are inherited; they differ only where this Paramedic was started under others than the first one."""
    for name, limit in spec.limits.items():
        number = getattr(resource, name, None)
        if number is None or resource.getrlimit(number) == tuple(limit):
            continue
        try:
            resource.prlimit(pid, number, limit)
        except (OSError, ValueError) as problem:
            LOGGER.warning("the limit %s of the first start could not be restored: %s", name, problem)
