"""Is a server's port free, and if not, whose is it?"""

import errno
import socket
from urllib.parse import urlsplit

from paramedic.adapters.processes.recognise import title_of
from paramedic.adapters.processes.sockets import listeners, socket_inodes
from paramedic.adapters.processes.stat import pids, read_bytes, read_stat

EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 (compared, not bound)


def what_holds_port(url: str) -> str:
    """ "" when a server could bind there as vLLM does; else who is in the way."""
    parts = urlsplit(url)
    host, port = parts.hostname or "127.0.0.1", parts.port
    if port is None:
        return ""
    taken = [inode for address, number, inode in listeners() if number == port and _meet(address, host)]
    if taken:
        return f"port {port} is in use by {_owner(set(taken))}"
    return _why_not_bindable(host, port)


def _why_not_bindable(host: str, port: int) -> str:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as problem:
            if problem.errno == errno.EADDRINUSE:
                return f"port {port} is held by a socket that does not listen"
            if problem.errno == errno.EACCES:
                return f"port {port} may be bound by root alone"
    return ""  # a name or an address that is not ours to bind says nothing about the port


def _meet(address: str, host: str) -> bool:
    if address in EVERYWHERE or host in EVERYWHERE:
        return True
    return address == host or {address, host} <= {"127.0.0.1", "::1", "localhost"}


def _owner(inodes: set[str]) -> str:
    for pid in pids():
        try:
            held = socket_inodes(pid)
        except OSError:
            continue
        if held & inodes:
            stat = read_stat(pid)
            title = title_of(read_bytes(pid, "cmdline", 256)) or (stat.name if stat else "")
            return f"pid {pid} ({title})"
    return "a process that may not be seen from here"
