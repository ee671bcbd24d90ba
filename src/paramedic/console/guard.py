"""Who may talk to the daemon: a caller on this machine, under a loopback name, with the token."""

import hmac
from ipaddress import ip_address

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

OPEN_PATHS = frozenset({"/healthz"})


def refusal(status: int, sentence: str) -> JSONResponse:
    """An error as the API gives it."""
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return JSONResponse({"error": sentence}, status, headers)


class Guard:
    """Refuses a request before anything else sees it."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        if not token:
            raise ValueError("a console without a token would be open to everybody on this machine")
        self._app = app
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return  # no web sockets here; uvicorn closes them
        refused = self._refused(scope["path"], Headers(scope=scope))
        await (refused or self._app)(scope, receive, send)

    def _refused(self, path: str, headers: Headers) -> JSONResponse | None:
        # A web page may make a browser ask us under its own name (DNS rebinding): only loopback names are ours.
        if not is_loopback(headers.get("host", "")):
            return refusal(403, "the Host header must name this machine: use http://127.0.0.1:PORT")
        if path in OPEN_PATHS:
            return None
        scheme, _, given = headers.get("authorization", "").partition(" ")
        right = hmac.compare_digest(given.strip().encode(), self._token)
        if scheme.lower() != "bearer" or not right:
            return refusal(401, "send the header 'Authorization: Bearer TOKEN'; the token lies in daemon.json")
        return None


def is_loopback(host: str) -> bool:
    """Whether a Host header (`name`, `name:port`, `[v6]:port`) names this machine itself."""
    name, _, port = host.rpartition(":") if not host.endswith("]") else (host, "", "")
    if not name:
        name, port = port, ""
    if name.lower() == "localhost":
        return not port or port.isdigit()
    try:
        return ip_address(name.strip("[]")).is_loopback and (not port or port.isdigit())
    except ValueError:
        return False
