"""How long `paramedic watch` takes until a server's first live figures are on the screen (promised: 2 s)."""

import os
import pty
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from fcntl import ioctl
from pathlib import Path
from struct import pack
from termios import TIOCSWINSZ

PARAMEDIC = str(Path(sys.executable).with_name("paramedic"))
PROMISED = 2.0  # seconds
TIMES = 5
FIGURES = re.compile(rb"serving +\S+ +[\d.,]+ +\d+ +\d+ +\d+%")  # since, tok/s, running, waiting, KV cache
ESCAPES = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")


def until_figures(url: str, folder: Path) -> float:
    """Seconds from the command to its first figures, on a terminal of 120 columns."""
    screen, terminal = pty.openpty()
    ioctl(terminal, TIOCSWINSZ, pack("HHHH", 40, 120, 0, 0))
    command = [PARAMEDIC, "watch", "--no-discovery", "--target", url, "--data-dir", str(folder), "--lang", "en"]
    environment = {**os.environ, "TERM": "xterm-256color"}
    began = time.perf_counter()
    watch = subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal, env=environment)
    os.close(terminal)
    drawn = b""
    while not FIGURES.search(ESCAPES.sub(b"", drawn)):
        drawn += os.read(screen, 65536)
    taken = time.perf_counter() - began
    watch.send_signal(signal.SIGINT)
    while watch.poll() is None:
        try:
            os.read(screen, 65536)
        except OSError:
            break
    watch.wait()
    os.close(screen)
    return taken


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        command = [PARAMEDIC, "practice", "serve", "--data-dir", str(folder / "practice"), "--port", str(port)]
        engine = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_for(url)
            taken = [until_figures(url, folder / f"watch-{n}") for n in range(TIMES)]
        finally:
            engine.send_signal(signal.SIGINT)
            engine.wait()
    print(f"first live figures         {statistics.median(taken):6.2f} s  (promised {PROMISED:.0f})")
    if statistics.median(taken) > PROMISED:
        sys.exit(1)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def wait_for(url: str) -> None:
    for _ in range(300):
        try:
            with urllib.request.urlopen(url + "/health", timeout=1):  # noqa: S310 (our own engine)
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"no engine came up at {url}")


if __name__ == "__main__":
    main()
