"""How a practice engine is found: one file a port in the data folder, with the address and token of its control."""

import http.client
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from paramedic.model.errors import NoDaemon, UsageError

CONTROL_TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Registration:
    """A running practice engine. The token opens its control endpoint."""

    pid: int
    url: str
    control: str
    token: str
    model: str

    def write(self, path: Path) -> None:
        """Write the file for its owner alone, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = path.with_suffix(f".{self.pid}.new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(asdict(self), file)
        fresh.replace(path)

    def call(self, method: str, path: str) -> Any:
        """Ask the control endpoint. Raises UsageError with its refusal, OSError when nobody answers."""
        place = urlsplit(self.control)
        connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=CONTROL_TIMEOUT_SECONDS)
        try:
            connection.request(method, path, headers={"Authorization": f"Bearer {self.token}"})
            reply = connection.getresponse()
            document: Any = json.loads(reply.read())
        except http.client.HTTPException as error:
            raise ConnectionError(str(error)) from error
        finally:
            connection.close()
        if reply.status >= 400:
            raise UsageError(str(document.get("error", reply.status)))
        return document


def registration_path(data_dir: Path, port: int) -> Path:
    return data_dir / "practice" / f"{port}.json"


def running_engines(data_dir: Path) -> list[Registration]:
    """Every engine of this data folder whose control answers; files that the dead left behind are removed."""
    return list(_answering(data_dir))


def _answering(data_dir: Path) -> Iterator[Registration]:
    for path in sorted((data_dir / "practice").glob("*.json")):
        try:
            registration = Registration(**json.loads(path.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            continue  # being removed, or not ours
        try:
            registration.call("GET", "/")
        except (ConnectionError, UsageError):
            path.unlink(missing_ok=True)
        except OSError:
            continue  # it may be busy: it stays
        else:
            yield registration


def choose_engine(data_dir: Path, url: str | None, port: int | None) -> Registration:
    """The engine that is meant. Raises NoDaemon when none runs, UsageError when several do and none is named."""
    engines = running_engines(data_dir)
    if not engines:
        raise NoDaemon(
            f"no practice engine runs in {data_dir}: start one with `paramedic practice serve`, "
            "or name its folder with --data-dir"
        )
    wanted = [
        engine
        for engine in engines
        if (url is None or engine.url == url.rstrip("/")) and (port is None or urlsplit(engine.url).port == port)
    ]
    if not wanted:
        raise NoDaemon(f"no practice engine at {url or f'port {port}'}: running are {_urls(engines)}")
    if len(wanted) > 1:
        raise UsageError(f"several practice engines run ({_urls(wanted)}): name one with --port")
    return wanted[0]


def _urls(engines: list[Registration]) -> str:
    return ", ".join(engine.url for engine in engines)
