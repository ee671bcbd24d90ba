"""What leads to an engine in another network, and what of another user's engine we may not read."""

import os
import pwd
from collections.abc import Sequence
from urllib.parse import urlsplit

from paramedic.adapters.processes.forwarders import published
from paramedic.adapters.processes.networks import addresses_of
from paramedic.adapters.processes.recognise import reachable_host
from paramedic.adapters.processes.stat import PROC, read_bytes
from paramedic.model.text import NO_WORDS, Text


def ways_to(pid: int, urls: Sequence[str]) -> tuple[str, ...]:
    """Where a server that listens at `urls` of its own network may be reached from ours, likeliest first."""
    if not urls:
        return ()
    listens = urlsplit(urls[0])
    port = listens.port or 0
    places = published(pid, port) + [(address, port) for address in addresses_of(pid)]
    return tuple(dict.fromkeys(f"{listens.scheme}://{reachable_host(host)}:{number}" for host, number in places))


def unreadable(pid: int) -> Text:
    """The sentence for a process whose files and sockets are closed to us; no words where they are not."""
    try:
        os.listdir(f"{PROC}/{pid}/fd")  # noqa: PTH208 (only whether we may)
    except PermissionError:
        pass
    except OSError:
        return NO_WORDS  # it has just ended
    else:
        return NO_WORDS
    owner = owner_of(pid)
    return Text(
        f"could not read the sockets and the log of pid {pid} (owned by {owner}): run as that user or root",
        f"无法读取进程 {pid}（属于 {owner}）的套接字和日志：请以该用户或 root 运行",
    )


def owner_of(pid: int) -> str:
    """The name of the user whose process it is; a number where it has no name, "?" when it is gone."""
    for line in read_bytes(pid, "status", 4096).decode(errors="replace").splitlines():
        if line.startswith("Uid:"):
            uid = int(line.split()[1])
            try:
                return pwd.getpwuid(uid).pw_name
            except KeyError:
                return f"uid {uid}"
    return "?"
