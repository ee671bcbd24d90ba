"""The daemon's API: the board, the journal, the live stream, and the commands that change something."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from paramedic import __version__
from paramedic.console.guard import Guard, refusal
from paramedic.console.running import Running
from paramedic.journal.codec import Entry, document
from paramedic.journal.plain import to_plain
from paramedic.model.errors import ParamedicError

HEARTBEAT_S = 15.0
_SLICE_S = 1.0  # how soon a stream notices that the server closes
_MAX_BODY = 64 * 1024
_MAX_TEXT = 1000


def build(daemon: Running, token: str) -> Starlette:
    """The application. `app.state.closing` (an asyncio.Event) ends the streams when it is set."""
    routes = [
        Route("/healthz", healthz),
        Route("/api/board", board),
        Route("/api/events", events),
        Route("/api/stream", stream),
        Route("/api/actions/{action}/approve", approve, methods=["POST"]),
        Route("/api/actions/{action}/reject", reject, methods=["POST"]),
        Route("/api/targets/{target}/hold", hold, methods=["POST"]),
        Route("/api/targets/{target}/resume", resume, methods=["POST"]),
        Route("/api/targets/{target}/restart", restart, methods=["POST"]),
        Route("/api/stop", stop, methods=["POST"]),
    ]
    handlers: dict[Any, Any] = {HTTPException: _http_error, ParamedicError: _paramedic_error, Exception: _defect}
    app = Starlette(routes=routes, middleware=[Middleware(Guard, token=token)], exception_handlers=handlers)
    app.state.daemon = daemon
    app.state.closing = asyncio.Event()
    return app


async def healthz(_request: Request) -> Response:
    """Whether this is Paramedic; no token is needed."""
    return JSONResponse({"paramedic": __version__})


async def board(request: Request) -> Response:
    return JSONResponse(to_plain(_daemon(request).board()))


async def events(request: Request) -> Response:
    return JSONResponse([document(entry) for entry in _daemon(request).entries(_after(request))])


async def stream(request: Request) -> Response:
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    messages = _messages(_daemon(request), request.app.state.closing, _after(request))
    return StreamingResponse(messages, media_type="text/event-stream", headers=headers)


async def approve(request: Request) -> Response:
    event = _daemon(request).approve(request.path_params["action"], _text(await _body(request), "by"))
    return JSONResponse({"action": event.action, "status": "approved", "by": event.by})


async def reject(request: Request) -> Response:
    by, reason = await _by_and_reason(request)
    event = _daemon(request).reject(request.path_params["action"], by, reason)
    return JSONResponse({"action": event.action, "status": "rejected", "by": event.by, "reason": reason})


async def hold(request: Request) -> Response:
    """`under_way`: the actions that had begun, and are finished all the same."""
    daemon, body = _daemon(request), await _body(request)
    by, reason = _text(body, "by"), _text(body, "reason", required=False)
    event = daemon.hold(request.path_params["target"], by, _seconds(body), reason)
    actions = daemon.board().actions
    under_way = [row.id for row in actions if row.target == event.target and row.status == "running"]
    answer = {"target": event.target, "status": "held", "by": by, "reason": reason, "until": event.until or None}
    return JSONResponse(answer | {"under_way": under_way})


async def resume(request: Request) -> Response:
    by, reason = await _by_and_reason(request)
    event = _daemon(request).resume(request.path_params["target"], by, reason)
    return JSONResponse({"target": event.target, "status": "resumed", "by": by, "reason": reason})


async def restart(request: Request) -> Response:
    """202: it begins; the events tell how it goes and ends."""
    by, reason = await _by_and_reason(request)
    event = _daemon(request).restart(request.path_params["target"], by, reason)
    answer = {"action": event.action, "target": event.target, "status": "requested", "by": by, "reason": reason}
    return JSONResponse(answer, 202)


async def stop(request: Request) -> Response:
    by = _text(await _body(request), "by")
    _daemon(request).stop(by)
    return JSONResponse({"status": "stopping", "by": by}, 202)


async def _messages(daemon: Running, closing: asyncio.Event, after: int) -> AsyncGenerator[str, None]:
    quiet = HEARTBEAT_S  # a comment at once: the reader knows that it is connected
    while not closing.is_set():
        if quiet >= HEARTBEAT_S:
            yield ": here\n\n"
            quiet = 0.0
        entries = await daemon.wait_for_entries(after, _SLICE_S)
        for entry in entries:
            yield _message(entry)
            after = entry.seq
        quiet = 0.0 if entries else quiet + _SLICE_S


def _message(entry: Entry) -> str:
    return f"id: {entry.seq}\ndata: {json.dumps(document(entry), ensure_ascii=False)}\n\n"


def _daemon(request: Request) -> Running:
    daemon: Running = request.app.state.daemon
    return daemon


def _after(request: Request) -> int:
    text = request.headers.get("last-event-id") or request.query_params.get("after", "0")
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise HTTPException(400, "after must be the number of an event: a whole number from 0")
    return int(text)


async def _body(request: Request) -> dict[str, Any]:
    raw = b""
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > _MAX_BODY:
            raise HTTPException(413, f"the body is larger than {_MAX_BODY // 1024} KiB")
    try:
        body = json.loads(raw)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise HTTPException(400, 'the body must be a JSON object, such as {"by": "NAME"}')
    return body


def _text(body: dict[str, Any], key: str, required: bool = True) -> str:
    value = body.get(key, "")
    if not isinstance(value, str) or len(value) > _MAX_TEXT or (required and not value.strip()):
        raise HTTPException(400, f"{key!r} must be text" + (" and not empty" if required else ""))
    return value.strip()


def _seconds(body: dict[str, Any]) -> float | None:
    value = body.get("seconds")
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    raise HTTPException(400, "'seconds' must be a number, or null")


async def _by_and_reason(request: Request) -> tuple[str, str]:
    body = await _body(request)
    return _text(body, "by"), _text(body, "reason", required=False)


async def _http_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 (what this handler is registered for)
    known = {404: "there is nothing at this address", 405: "this address wants another method"}
    return refusal(error.status_code, known.get(error.status_code, error.detail))


async def _paramedic_error(_request: Request, error: Exception) -> Response:
    return refusal(409, str(error))


async def _defect(_request: Request, error: Exception) -> Response:
    return refusal(500, f"this is a defect of Paramedic: {type(error).__name__}; its log says more")
