"""How an engine was first started, kept so that every later start is the same."""

import json
import os
import re
import resource
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

from paramedic.model.errors import ParamedicError

LIMITS = ("RLIMIT_NOFILE", "RLIMIT_NPROC", "RLIMIT_MEMLOCK", "RLIMIT_STACK", "RLIMIT_CORE", "RLIMIT_AS", "RLIMIT_DATA")


@dataclass(frozen=True, slots=True, repr=False)
class Spec:
    """Everything a start depends on. Arguments and environment hold secrets: it has no repr, and its file is 0600."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: str
    uid: int
    gid: int
    groups: tuple[int, ...]
    umask: int
    limits: Mapping[str, tuple[int, int]]  # name -> (soft, hard)


def spec_of_now(argv: Sequence[str], env: Mapping[str, str], cwd: str) -> Spec:
    """That command with this process's user and limits."""
    return Spec(
        argv=tuple(argv),
        env=dict(env),
        cwd=cwd,
        uid=os.getuid(),
        gid=os.getgid(),
        groups=tuple(os.getgroups()),
        umask=_umask(),
        limits={name: resource.getrlimit(getattr(resource, name)) for name in LIMITS},
    )


def save_spec(folder: Path, spec: Spec) -> None:
    """Write it whole or not at all, readable by its owner alone."""
    write_private(folder / "spec.json", json.dumps(asdict(spec), indent=1))


def load_spec(folder: Path, target: str) -> Spec:
    """Raises ParamedicError when that target was never started by us, or its file is damaged."""
    file = folder / "spec.json"
    try:
        kept = json.loads(file.read_text())
        return Spec(
            argv=tuple(kept["argv"]),
            env=kept["env"],
            cwd=kept["cwd"],
            uid=kept["uid"],
            gid=kept["gid"],
            groups=tuple(kept["groups"]),
            umask=kept["umask"],
            limits={name: (soft, hard) for name, (soft, hard) in kept["limits"].items()},
        )
    except FileNotFoundError:
        raise ParamedicError(
            f"{target} was not started by Paramedic, so how to start it is not known; "
            "start it once with `paramedic watch -- COMMAND`"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
        raise ParamedicError(
            f"{file}: how {target} was started cannot be read ({type(problem).__name__}); "
            "start it anew with `paramedic watch -- COMMAND`"
        ) from None


def folder_name(target: str) -> str:
    """A target's name as the name of a folder; two names never share one."""
    safe = re.sub(r"[^A-Za-z0-9._@-]", "_", target).lstrip(".")[:80]
    return safe if safe and safe == target else f"{safe}-{sha256(target.encode()).hexdigest()[:8]}"


def make_private(folder: Path) -> Path:
    """The folder, made with its parents where missing, open to its owner alone."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def write_private(file: Path, text: str) -> None:
    """Replace the file at once; nobody ever sees half of it, nobody else reads it."""
    fresh = file.with_name(f".{file.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8", errors="surrogateescape") as out:  # noqa: PTH123 (a descriptor)
        out.write(text)
        out.flush()
        os.fsync(descriptor)
    fresh.replace(file)


def _umask() -> int:
    """Read from /proc: asking with umask() would change it for a moment, for all threads."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("Umask:"):
            return int(line.split()[1], 8)
    return 0o022
