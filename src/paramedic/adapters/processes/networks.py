"""The networks of this machine: does a process live in ours, what are its addresses, what is its place called?"""

import os
import re
import socket
from itertools import pairwise
from pathlib import Path

from paramedic.adapters.processes.sockets import listeners
from paramedic.adapters.processes.stat import PROC, read_bytes

NAMED = ("/run/netns", "/var/run/docker/netns")  # where `ip netns` and Docker keep networks by name
_CONTAINER = re.compile(r"[0-9a-f]{64}")
_LIMIT = 256 * 1024

Identity = tuple[int, int]


def identity(path: str) -> Identity | None:
    """What tells one network namespace from another; None where it may not be seen."""
    try:
        seen = os.stat(path)  # noqa: PTH116 (a link of /proc that leads nowhere by name)
    except OSError:
        return None
    return seen.st_dev, seen.st_ino


def network_of(pid: int | str) -> Identity | None:
    """The network namespace of a process; None where it may not be seen (another user's) or the process is gone."""
    return identity(f"{PROC}/{pid}/ns/net")


def lives_apart(pid: int) -> bool | None:
    """Whether a process has another network than ours; None: cannot tell."""
    ours, its = network_of("self"), network_of(pid)
    if ours is not None and its is not None:
        return ours != its
    # Another user's process: which one it has may not be asked, but the sockets of its network may be counted.
    mine, its_sockets = _sockets("self"), _sockets(pid)
    return None if not mine or its_sockets is None else not mine & its_sockets


def addresses_of(pid: int) -> list[str]:
    """The addresses that a process's network has, without those that lead nowhere else (loopback, link-local)."""
    found = []
    lines = read_bytes(pid, "net/fib_trie", _LIMIT).decode(errors="replace").splitlines()
    for line, following in pairwise(lines):
        if "/32 host LOCAL" in following and not (address := line.split()[-1]).startswith("127."):
            found.append(address)
    for line in read_bytes(pid, "net/if_inet6", _LIMIT).decode(errors="replace").splitlines():
        address = socket.inet_ntop(socket.AF_INET6, bytes.fromhex(line.split()[0]))
        if address != "::1" and not address.startswith("fe80:"):
            found.append(address)
    return list(dict.fromkeys(found))


def place_of(pid: int) -> str:
    """What the place of a process is called: its container's id, else the name of its network, else its pid."""
    container = _CONTAINER.search(read_bytes(pid, "cgroup", 16 * 1024).decode(errors="replace"))
    if container:
        return f"container-{container.group()[:12]}"
    network = network_of(pid)
    for folder in NAMED if network is not None else ():
        for path in sorted(Path(folder).glob("*")):
            if identity(str(path)) == network:
                return f"netns-{path.name}"
    return f"netns-{network[1]}" if network is not None else f"pid-{pid}"


def _sockets(pid: int | str) -> set[str] | None:
    """The numbers of Unix and of listening TCP sockets in a process's network; a number is unique on the machine.

    None where they may not be seen, or the process is gone.
    """
    try:
        table = Path(PROC, str(pid), "net", "unix").read_text(errors="replace")
    except OSError:
        return None
    unix = {fields[6] for line in table.splitlines()[1:] if len(fields := line.split()) > 6}
    return unix | {inode for _, _, inode in listeners(pid)}
