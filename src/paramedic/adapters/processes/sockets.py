"""The TCP sockets on which a process listens."""

import os
import socket
from collections.abc import Sequence
from pathlib import Path

from paramedic.adapters.processes.stat import PROC

LISTEN = "0A"


def listening_sockets(pid: int) -> list[tuple[str, int]] | None:
    """(address, port) of each; None where its files may not be seen (another user's process)."""
    try:
        held = socket_inodes(pid)
    except OSError:
        return None
    return sorted({(address, port) for address, port, inode in listeners(pid) if inode in held})


def listens_at(processes: Sequence[int], port: int | None) -> bool | None:
    """Whether one of these processes, all of one network, listens at that port; None where that may not be seen."""
    hidden = False
    wanted = {inode for _, number, inode in listeners(processes[0]) if number == port} if processes else set()
    for pid in processes:
        try:
            if wanted & socket_inodes(pid):
                return True
        except PermissionError:
            hidden = True
        except OSError:
            continue  # it has just ended, and listens nowhere
    return None if hidden else False


def listeners(pid: int | str = "self") -> list[tuple[str, int, str]]:
    """(address, port, inode) of every listening socket in that process's network namespace."""
    found = []
    for name in ("tcp", "tcp6"):
        try:
            table = Path(PROC, str(pid), "net", name).read_text()
        except OSError:
            continue  # no IPv6, or the process is gone
        for line in table.splitlines()[1:]:
            fields = line.split()
            if len(fields) > 9 and fields[3] == LISTEN:
                address, _, port = fields[1].partition(":")
                found.append((_address(address), int(port, 16), fields[9]))
    return found


def socket_inodes(pid: int) -> set[str]:
    """The sockets that a process holds. Raises OSError where they may not be seen."""
    folder = f"{PROC}/{pid}/fd"
    held = set()
    for file in os.listdir(folder):  # noqa: PTH208 (called for every process when we look for a port's owner)
        try:
            link = os.readlink(f"{folder}/{file}")  # noqa: PTH115
        except OSError:
            continue  # closed meanwhile
        if link.startswith("socket:["):
            held.add(link[8:-1])
    return held


def _address(hexadecimal: str) -> str:
    """`0100007F` -> `127.0.0.1`: the kernel prints words in the machine's own order."""
    words = [bytes.fromhex(hexadecimal[at : at + 8])[::-1] for at in range(0, len(hexadecimal), 8)]
    packed = b"".join(words)
    if len(packed) == 4:
        return socket.inet_ntop(socket.AF_INET, packed)
    if packed[:12] == b"\0" * 10 + b"\xff\xff":
        return socket.inet_ntop(socket.AF_INET, packed[12:])
    return socket.inet_ntop(socket.AF_INET6, packed)
