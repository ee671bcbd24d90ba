"""Networks of their own for engines, and the programs that lead into them; all of it is gone afterwards."""

import contextlib
import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.pretend import session

_numbers = itertools.count(1)

FORWARDER = """
import ctypes, os, socket, sys, threading
import setproctitle

network, inside_address, inside_port, title = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
outside, listen = (sys.argv[5:] + [""])[:2]
door = None
if not listen:  # the door is on our side, the way on leads into the other network
    door = socket.create_server(("127.0.0.1", 0))
with open(network) as file:
    assert ctypes.CDLL(None, use_errno=True).setns(file.fileno(), 0) == 0, ctypes.get_errno()
if listen:  # both ends are in the other network
    door = socket.create_server((listen, inside_port))
port = door.getsockname()[1]
if title:
    setproctitle.setproctitle(title.replace("PORT", str(port)))
print(port, flush=True)

def pass_on(here, there):
    try:
        while block := here.recv(65536):
            there.sendall(block)
        there.shutdown(socket.SHUT_WR)
    except OSError:
        pass

while True:
    here, _ = door.accept()
    try:
        there = socket.create_connection((inside_address, inside_port), 5)
    except OSError:
        here.close()
        continue
    for pair in ((here, there), (there, here)):
        threading.Thread(target=pass_on, args=pair, daemon=True).start()
"""


@dataclass(frozen=True)
class Network:
    """A network namespace with an address that has no way out, or one that our side reaches over a cable."""

    name: str
    address: str

    @property
    def path(self) -> str:
        return f"/run/netns/{self.name}"

    def inside(self, *command: str) -> list[str]:
        return ["ip", "netns", "exec", self.name, *command]


def _ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, timeout=30, check=False)
    if done.returncode:
        raise OSError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")


@contextlib.contextmanager
def network(*, cable: bool = False) -> Iterator[Network]:
    """Skips the test, with the reason, where networks cannot be made."""
    if shutil.which("ip") is None:
        pytest.skip("no program `ip` (iproute2): networks cannot be made")
    number = next(_numbers)
    name = f"pm{os.getpid()}-{number}"
    third, fourth = os.getpid() // 256 % 256, os.getpid() % 64 * 4
    ours, its = f"10.{200 + number % 50}.{third}.{fourth + 1}", f"10.{200 + number % 50}.{third}.{fourth + 2}"
    try:
        _ip("netns", "add", name)
    except OSError as refused:
        pytest.skip(f"not permitted here: to make a network: {refused}")
    try:
        _ip("-n", name, "link", "set", "lo", "up")
        if cable:
            outer, inner = f"pm{os.getpid() % 100000}o{number}", f"pm{os.getpid() % 100000}i{number}"
            _ip("link", "add", outer, "type", "veth", "peer", "name", inner, "netns", name)
            _ip("addr", "add", f"{ours}/30", "dev", outer)
            _ip("link", "set", outer, "up")
            _ip("-n", name, "addr", "add", f"{its}/30", "dev", inner)
            _ip("-n", name, "link", "set", inner, "up")
        else:
            _ip("-n", name, "addr", "add", f"{its}/32", "dev", "lo")
        yield Network(name, its)
    finally:
        _ip("netns", "del", name)


@contextlib.contextmanager
def engine_in(place: list[str], data: Path, port: int, log: Path | None = None) -> Iterator["subprocess.Popen[bytes]"]:
    """A practice engine begun by the command `place`; its log in a file where one is given."""
    data.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "paramedic", "practice", "serve", "--port", str(port), "--data-dir", str(data)]
    with contextlib.ExitStack() as open_files:
        out = open_files.enter_context(log.open("ab")) if log else subprocess.DEVNULL
        child = open_files.enter_context(
            session(*place, *command, "--start-seconds", "0.1", stdout=out, stderr=subprocess.STDOUT)
        )
        yield child


@contextlib.contextmanager
def forwarder(into: Network, port: int, title: str = "", *, listen: str = "") -> Iterator[int]:
    """Passes connections on to that port of the other network; gives the port on which it listens.

    `title` is what it looks like in the list of processes (PORT stands for its own). With `listen`, it stands in the
    other network itself, at that address.
    """
    command = [sys.executable, "-c", FORWARDER, into.path, "127.0.0.1", str(port), title, "", listen]
    with session(*command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        with child.stdout:
            yield int(child.stdout.readline())


def docker_proxy(into: Network, port: int) -> str:
    """What Docker's forwarder of a published port looks like."""
    ours = "-proto tcp -host-ip 127.0.0.1 -host-port PORT"
    return f"/usr/bin/docker-proxy {ours} -container-ip {into.address} -container-port {port}"
