"""Talking to the daemon of a data folder. Standard library only, so that commands start fast."""

import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from paramedic.model.errors import CouldNotTell, NoDaemon, ParamedicError, UsageError

FILE_NAME = "daemon.json"
_TIMEOUT_S = 10.0
_STREAM_TIMEOUT_S = 45.0  # three heartbeats


@dataclass(frozen=True, slots=True)
class Daemon:
    """The address of a running daemon."""

    pid: int
    started: float  # epoch seconds
    url: str
    token: str = field(repr=False)

    @classmethod
    def find(cls, folder: Path) -> "Daemon | None":
        """The daemon that holds this data folder; None when none runs.

        Raises NoDaemon when there is one that this user may not talk to.
        """
        try:
            data = json.loads((folder / FILE_NAME).read_text("utf-8"))
            daemon = cls(int(data["pid"]), float(data["started"]), str(data["url"]), str(data["token"]))
        except FileNotFoundError:
            return None
        except PermissionError as error:
            raise NoDaemon(f"{folder / FILE_NAME} may not be read by you: the daemon is another user's") from error
        except (OSError, ValueError, KeyError, TypeError):
            return None  # half written, or left by a version that we do not know
        return daemon if daemon.alive() else None

    @classmethod
    def need(cls, folder: Path) -> "Daemon":
        """As `find`; raises NoDaemon with what to do when none runs."""
        if daemon := cls.find(folder):
            return daemon
        raise NoDaemon(f"nobody watches in {folder}: start `paramedic watch`, or name its folder with --data-dir")

    def alive(self) -> bool:
        """Whether the process that wrote the file lives."""
        import psutil  # 50 ms to import

        try:
            process = psutil.Process(self.pid)
            # A process that began later than the daemon has only inherited its number.
            return process.status() != psutil.STATUS_ZOMBIE and process.create_time() <= self.started + 2
        except psutil.NoSuchProcess:
            return False
        except psutil.AccessDenied:
            return True

    def get(self, path: str) -> Any:
        """The JSON answer. Raises NoDaemon, UsageError or CouldNotTell with the daemon's sentence."""
        return self._ask("GET", path, None)

    def post(self, path: str, body: dict[str, object]) -> Any:
        """As `get`, with a JSON body."""
        return self._ask("POST", path, json.dumps(body).encode())

    def stream(self, after: int = 0) -> Iterator[dict[str, Any]]:
        """Every event with a number above `after`, as it comes; ends when the daemon does."""
        connection = self._connection(_STREAM_TIMEOUT_S)
        try:
            response = self._request(connection, "GET", f"/api/stream?after={after}", None)
            if response.status != 200:
                raise _error(response.status, response.read())
            while raw := _line(response):
                if raw.startswith(b"data: "):
                    yield json.loads(raw[6:])
        finally:
            connection.close()

    def _ask(self, method: str, path: str, body: bytes | None) -> Any:
        connection = self._connection(_TIMEOUT_S)
        try:
            response = self._request(connection, method, path, body)
            status, raw = response.status, response.read()
        except (http.client.HTTPException, OSError) as error:
            raise self._gone(error) from error
        finally:
            connection.close()
        if status >= 300:
            raise _error(status, raw)
        return json.loads(raw)

    def _connection(self, timeout_s: float) -> http.client.HTTPConnection:
        parts = urlsplit(self.url)
        return http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout_s)

    def _request(
        self, connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None
    ) -> http.client.HTTPResponse:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        try:
            connection.request(method, path, body, headers)
            return connection.getresponse()
        except (http.client.HTTPException, OSError) as error:
            raise self._gone(error) from error

    def _gone(self, error: Exception) -> ParamedicError:
        if isinstance(error, TimeoutError):
            return CouldNotTell(f"the daemon (pid {self.pid}) does not answer in time at {self.url}")
        return NoDaemon(f"the daemon (pid {self.pid}) does not answer at {self.url}: {error}")


def _line(response: http.client.HTTPResponse) -> bytes:
    """The next line; nothing when the other side has gone or has been silent for long."""
    try:
        return response.readline()
    except (http.client.HTTPException, OSError):
        return b""


def _error(status: int, raw: bytes) -> ParamedicError:
    try:
        sentence = str(json.loads(raw)["error"])
    except (ValueError, KeyError, TypeError):
        sentence = f"the daemon answered with HTTP status {status}"
    if status in (401, 403):
        return NoDaemon(f"the daemon refused us: {sentence}")
    return CouldNotTell(sentence) if status >= 500 else UsageError(sentence)
