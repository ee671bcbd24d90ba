"""Another program that takes the port of an engine as soon as it is free, and knows nothing of vLLM."""

import http.server
import os
import subprocess
import sys
import threading
import time
from http import HTTPStatus
from pathlib import Path

from setproctitle import setproctitle

from paramedic.practice import troubles

LOOK_SECONDS = 0.02  # between two tries to get the port
STAY_SECONDS = 600.0  # it goes by itself, so that no test leaves it behind


class Stranger(http.server.BaseHTTPRequestHandler):
    """Answers 404 to everything and writes nothing."""

    def do_GET(self) -> None:
        self.send_error(HTTPStatus.NOT_FOUND)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the library's name)
        pass


def start(data_dir: Path, port: int, fault: str) -> None:
    """Start it as a process of nobody. It stays while the trouble of that name is there."""
    command = [sys.executable, "-m", "paramedic.practice.squatter", str(data_dir), str(port), fault]
    nowhere = subprocess.DEVNULL
    subprocess.run(command, stdin=nowhere, stdout=nowhere, stderr=nowhere, start_new_session=True, check=True)


def main(data_dir: Path, port: int, fault: str) -> None:
    if os.fork():
        os._exit(0)  # who started us must not seem to be our parent
    setproctitle("port-squatter")
    end = time.monotonic() + STAY_SECONDS
    server: http.server.ThreadingHTTPServer | None = None
    while time.monotonic() < end and troubles.is_there(data_dir, port, fault):
        if server is None:
            server = _take(port)
        time.sleep(LOOK_SECONDS if server is None else 10 * LOOK_SECONDS)


def _take(port: int) -> http.server.ThreadingHTTPServer | None:
    try:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Stranger)
    except OSError:
        return None
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
