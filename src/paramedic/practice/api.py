"""The HTTP of the pretended server: the probes, the metrics, and the ways to ask for text or vectors."""

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from contextlib import aclosing

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from paramedic.practice import embeddings, openai
from paramedic.practice.engine_client import EngineClient, EngineDeadError
from paramedic.practice.http_metrics import HttpMetrics
from paramedic.practice.log import Log
from paramedic.practice.metrics import EngineMetrics
from paramedic.practice.settings import VERSION, Settings


class Api:
    """The endpoints over one engine."""

    def __init__(self, settings: Settings, max_model_len: int, engine: EngineClient, metrics: EngineMetrics, log: Log):
        self.settings = settings
        self.max_model_len = max_model_len
        self.engine = engine
        self.metrics = metrics
        self.log = log
        self.created = int(time.time())
        self.metrics_delay = 0.0  # seconds that /metrics takes, by a fault

    @property
    def routes(self) -> list[Route]:
        routes = [
            Route("/load", self.load),
            Route("/version", self.version),
            Route("/health", self.health),
            Route("/metrics", self.exposition),
            Route("/v1/models", self.models),
            Route("/ping", self.health, methods=["GET", "POST"]),
            *self._work_routes(),
        ]
        for route in routes:
            (route.methods or set()).discard("HEAD")  # vLLM does not answer it either
        return routes

    def _work_routes(self) -> list[Route]:
        if self.settings.pooling:
            return [Route("/v1/embeddings", self.embed, methods=["POST"])]
        return [
            Route("/v1/chat/completions", self.chat, methods=["POST"]),
            Route("/v1/completions", self.completions, methods=["POST"]),
        ]

    def application(self) -> ASGIApp:
        """The whole application, counted."""
        routes = self.routes
        app = Starlette(routes=routes, exception_handlers={HTTPException: _refuse})
        return HttpMetrics(app, self.metrics.registry, frozenset(route.path for route in routes))

    async def health(self, _: Request) -> Response:
        return Response(status_code=503 if self.engine.died.is_set() else 200)

    async def load(self, _: Request) -> Response:
        return JSONResponse({"server_load": 0})

    async def version(self, _: Request) -> Response:
        return JSONResponse({"version": VERSION})

    async def exposition(self, _: Request) -> Response:
        if self.metrics_delay:
            await asyncio.sleep(self.metrics_delay)
        return Response(self.metrics.page(), media_type=CONTENT_TYPE_LATEST)

    async def models(self, _: Request) -> Response:
        allowed = {"sampling", "logprobs", "view"}
        rights = ("create_engine", "sampling", "logprobs", "search_indices", "view", "fine_tuning")
        permission = {
            "id": f"modelperm-{secrets.token_hex(8)}",
            "object": "model_permission",
            "created": self.created,
            **{f"allow_{right}": right in allowed for right in rights},
            "organization": "*",
            "group": None,
            "is_blocking": False,
        }
        model = {
            "id": self.settings.served_model_name,
            "object": "model",
            "created": self.created,
            "owned_by": "vllm",
            "root": self.settings.model,
            "parent": None,
            "max_model_len": self.max_model_len,
            "permission": [permission],
        }
        return JSONResponse({"object": "list", "data": [model]})

    async def completions(self, request: Request) -> Response:
        return await self._generate(request, chat=False)

    async def chat(self, request: Request) -> Response:
        return await self._generate(request, chat=True)

    async def embed(self, request: Request) -> Response:
        if self.engine.died.is_set():
            return self._dead()
        served = self.settings.served_model_name
        try:
            ask = embeddings.read_request(await request.body(), served=served, max_model_len=self.max_model_len)
        except openai.RequestRefusedError as refusal:
            return JSONResponse(refusal.body, refusal.status)
        try:
            return await _while_connected(request, self._vectors(ask))
        except EngineDeadError:
            return self._dead()

    async def _vectors(self, ask: embeddings.EmbeddingAsk) -> Response:
        for index, (tokens, seed) in enumerate(ask.inputs):
            request = {"id": f"{ask.id}-{index}", "stop_after": 0, "seed": seed}
            async with aclosing(self.engine.generate(request, tokens, 0)) as items:
                async for _ in items:
                    pass
        return JSONResponse(ask.answer())

    async def _generate(self, request: Request, *, chat: bool) -> Response:
        if self.engine.died.is_set():
            return self._dead()
        served = self.settings.served_model_name
        try:
            ask = openai.read_request(await request.body(), chat=chat, served=served, max_model_len=self.max_model_len)
        except openai.RequestRefusedError as refusal:
            return JSONResponse(refusal.body, refusal.status)
        if ask.stream:
            return StreamingResponse(self._stream(ask), media_type="text/event-stream")
        try:
            return await _while_connected(request, self._whole(ask))
        except EngineDeadError:
            return self._dead()

    def _dead(self) -> Response:
        self.log.write("request-failed")
        return JSONResponse(openai.DEAD_BODY, 500)

    async def _whole(self, ask: openai.Ask) -> Response:
        async with aclosing(self._tokens(ask)) as tokens:
            items = [item async for item in tokens]
        text = "".join(token for token, _ in items)
        return JSONResponse(openai.answer(ask, text, items[-1][1], len(items)))

    def _tokens(self, ask: openai.Ask) -> AsyncGenerator[tuple[str, str | None], None]:
        return self.engine.generate(ask.engine_request, ask.prompt_tokens, ask.max_tokens)

    async def _stream(self, ask: openai.Ask) -> AsyncIterator[bytes]:
        generated = 0
        try:
            async with aclosing(self._tokens(ask)) as tokens:
                async for token, finish in tokens:
                    if ask.chat and generated == 0:
                        yield openai.first_chat_chunk(ask)
                    generated += 1
                    yield openai.chunk(ask, token, finish)
            if ask.usage_chunk:
                yield openai.usage_chunk(ask, generated)
        except EngineDeadError:
            self.log.write("stream-failed")
            yield openai.DEAD_CHUNK
        yield openai.DONE


async def _refuse(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return JSONResponse({"detail": error.detail}, error.status_code, error.headers)


async def _while_connected(request: Request, work: Awaitable[Response]) -> Response:
    """The answer, or nothing at all once the client has hung up: then the request is aborted."""

    async def hang_up() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    working, gone = asyncio.ensure_future(work), asyncio.ensure_future(hang_up())
    try:
        await asyncio.wait({working, gone}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else Response(status_code=499)
    finally:
        for task in (working, gone):
            task.cancel()
