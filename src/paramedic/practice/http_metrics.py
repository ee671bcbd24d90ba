"""The `http_*` families: every request that is not a probe, by handler, method and class of status."""

import time

from prometheus_client import CollectorRegistry, Counter, Histogram, Summary
from starlette.types import ASGIApp, Message, Receive, Scope, Send

UNCOUNTED = frozenset({"/metrics", "/health", "/load", "/ping", "/version", "/server_info"})
_FINE = (
    *(0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 2.5),
    *(3, 3.5, 4, 4.5, 5, 7.5, 10, 30, 60),
)


class HttpMetrics:
    """Counts and times what passes through to the application; a stream lasts until its last byte."""

    def __init__(self, app: ASGIApp, registry: CollectorRegistry, handlers: frozenset[str]) -> None:
        self.app = app
        self.handlers = handlers
        self.requests = Counter(
            "http_requests",
            "Requests by handler, method and status.",
            ["method", "status", "handler"],
            registry=registry,
        )
        self.request_size = Summary(
            "http_request_size_bytes", "Content length of requests.", ["handler"], registry=registry
        )
        self.response_size = Summary(
            "http_response_size_bytes", "Content length of answers.", ["handler"], registry=registry
        )
        self.fine = Histogram(
            "http_request_duration_highr_seconds", "Duration, many buckets.", buckets=_FINE, registry=registry
        )
        self.coarse = Histogram(
            "http_request_duration_seconds",
            "Duration by handler, few buckets.",
            ["method", "handler"],
            buckets=(0.1, 0.5, 1),
            registry=registry,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in UNCOUNTED:
            await self.app(scope, receive, send)
            return
        started = time.monotonic()
        answer: Message = {"status": 500, "headers": []}

        async def note(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer.update(message)
            await send(message)

        try:
            await self.app(scope, receive, note)
        finally:
            seconds = time.monotonic() - started
            handler = scope["path"] if scope["path"] in self.handlers else "none"
            self.requests.labels(scope["method"], f"{answer['status'] // 100}xx", handler).inc()
            self.request_size.labels(handler).observe(_content_length(scope["headers"]))
            self.response_size.labels(handler).observe(_content_length(answer["headers"]))
            self.fine.observe(seconds)
            self.coarse.labels(scope["method"], handler).observe(seconds)


def _content_length(headers: list[tuple[bytes, bytes]]) -> int:
    return next((int(value) for name, value in headers if name.lower() == b"content-length"), 0)
