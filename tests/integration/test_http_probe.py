import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from paramedic.adapters import http_probe
from paramedic.adapters.http_probe import HttpProbe
from paramedic.model.target import Target
from tests.integration.pretend import free_port

KEY = "sk-very-secret"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
MODELS = {"object": "list", "data": [{"id": "tiny", "object": "model", "owned_by": "vllm", "parent": None}]}


class Server:
    """An engine's HTTP side of which a test sets every answer; `asked` lists (path, key, body)."""

    def __init__(self) -> None:
        self.answers: dict[str, Handler] = {}
        self.asked: list[tuple[str, str | None, object]] = []
        self.url = ""

    def says(self, path: str, body: object, status: int = 200) -> None:
        async def answer(request: web.Request) -> web.StreamResponse:
            return web.json_response(body, status=status)

        self.answers[path] = answer

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.json() if request.can_read_body else None
        self.asked.append((request.path, request.headers.get("Authorization"), body))
        answer = self.answers.get(request.path)
        return await answer(request) if answer else web.json_response({"detail": "Not Found"}, status=404)

    def paths(self) -> list[str]:
        return [path for path, _, _ in self.asked]


@asynccontextmanager
async def running(server: Server) -> AsyncIterator[Server]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    server.says("/version", {"version": "0.32.0"})
    server.says("/v1/models", MODELS)
    server.says("/v1/completions", {"choices": [{"text": "x"}], "usage": {"completion_tokens": 1}})
    async with running(server):
        yield server


@pytest.fixture
async def probe() -> AsyncIterator[HttpProbe]:
    probe = HttpProbe(lambda target: KEY if target.name == "locked" else None)
    yield probe
    await probe.close()


async def never(request: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError


async def cut(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def test_metrics_and_health_are_what_the_server_says(server: Server, probe: HttpProbe) -> None:
    async def metrics(request: web.Request) -> web.StreamResponse:
        assert request.headers["Accept-Encoding"] == "identity"
        return web.Response(text="up 1\n")

    server.answers["/metrics"] = metrics
    server.says("/health", {}, status=503)
    told = await probe.metrics(Target("m", server.url))
    assert (told.ok, told.body, told.error) == (True, b"up 1\n", "")
    assert told.seconds > 0
    assert (await probe.health(Target("m", server.url))).status == 503


async def test_refused_reset_and_too_late_are_told_apart(
    server: Server, probe: HttpProbe, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answers["/metrics"] = cut
    server.answers["/health"] = never
    assert (await probe.metrics(Target("m", server.url))).error == "reset"
    with monkeypatch.context() as hurried:
        hurried.setattr(http_probe, "HEALTH_TIMEOUT_S", 0.2)
        late = await probe.health(Target("m", server.url))
    assert (late.error, late.status, late.ok) == ("timeout", None, False)
    for host in ("127.0.0.1", "localhost"):
        assert (await probe.health(Target("m", f"http://{host}:{free_port()}"))).error == "refused"


async def test_a_cut_body_is_no_answer(server: Server, probe: HttpProbe) -> None:
    async def half(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"half")
        return await cut(request)

    server.answers["/metrics"] = half
    told = await probe.metrics(Target("m", server.url))
    assert (told.error, told.ok, told.body) == ("reset", False, b"")


async def test_an_endless_answer_is_given_up(server: Server, probe: HttpProbe) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(40):
            await response.write(b"x" * 1024 * 1024)
        return response

    server.answers["/metrics"] = endless
    told = await probe.metrics(Target("m", server.url))
    assert (told.error, told.body) == ("answer of more than 16 MB", b"")


async def test_redirects_are_not_followed(server: Server, probe: HttpProbe) -> None:
    async def elsewhere(request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("/v1/models")

    server.answers["/health"] = elsewhere
    assert (await probe.health(Target("m", server.url))).status == 302
    assert server.paths() == ["/health"]


@pytest.mark.parametrize("url", ["http://no-such-host.invalid:1", "http://[", "nonsense", "http://", "ftp://x", ""])
async def test_a_url_that_cannot_work_is_an_answer_too(probe: HttpProbe, url: str) -> None:
    told = await probe.health(Target("m", url))
    assert told.error
    assert not told.ok
    assert await probe.identify(url) is None
    assert (await probe.canary(Target("m", url), 5)).result in ("error", "timeout")


async def test_a_key_is_sent_and_never_told(server: Server, probe: HttpProbe) -> None:
    server.says("/v1/completions", {"error": "Unauthorized"}, status=401)
    canary = await probe.canary(Target("locked", server.url), 10)
    assert canary.result == "unauthorised"
    assert {key for _, key, _ in server.asked} == {f"Bearer {KEY}"}
    broken = HttpProbe(lambda target: f"{KEY}\r\nX: y")
    told = await broken.health(Target("m", server.url))
    await broken.close()
    assert told.error
    assert KEY not in canary.detail + told.error


async def test_a_canary_asks_for_one_token(server: Server, probe: HttpProbe) -> None:
    assert (await probe.canary(Target("m", server.url), 10)).result == "token"
    path, key, body = server.asked[-1]
    assert (path, key) == ("/v1/completions", None)
    assert body == {"model": "tiny", "prompt": "1", "max_tokens": 1, "temperature": 0, "stream": False}


async def test_a_model_that_is_not_served_any_more_is_replaced_by_the_served_one(
    server: Server, probe: HttpProbe
) -> None:
    assert (await probe.canary(Target("m", server.url, model="yesterday"), 10)).result == "token"
    assert server.asked[-1][2]["model"] == "tiny"  # type: ignore[index]


@pytest.mark.parametrize(
    ("path", "answer", "refused"),
    [
        ("/v1/embeddings", {"data": [{"embedding": [0.5]}]}, 404),
        ("/v1/rerank", {"results": [{"index": 0}]}, 400),
        ("/score", {"data": [{"score": 0.5}]}, 404),
    ],
)
async def test_a_model_without_generation_answers_its_own_call(
    server: Server, probe: HttpProbe, path: str, answer: object, refused: int
) -> None:
    server.says("/v1/completions", {"error": {"message": "no"}}, status=refused)
    server.says(path, answer)
    target = Target("m", server.url)
    assert (await probe.canary(target, 10)).result == "token"
    server.asked.clear()
    assert (await probe.canary(target, 10)).result == "token"
    assert [asked for asked in server.paths() if asked not in ("/is_paused", "/is_sleeping", "/v1/models")] == [path]


async def test_a_refused_completion_stays_the_answer_when_no_other_call_helps(server: Server, probe: HttpProbe) -> None:
    server.says("/v1/completions", {"error": {"message": "no"}}, status=400)
    canary = await probe.canary(Target("m", server.url), 10)
    assert (canary.result, canary.detail) == ("error", "HTTP 400 from /v1/completions")


@pytest.mark.parametrize(("path", "field"), [("/is_paused", "is_paused"), ("/is_sleeping", "is_sleeping")])
async def test_a_sleeping_or_paused_engine_is_not_asked_for_a_token(
    server: Server, probe: HttpProbe, path: str, field: str
) -> None:
    server.says(path, {field: True})
    assert (await probe.canary(Target("m", server.url), 10)).result == "paused"
    assert "/v1/completions" not in server.paths()
    server.says(path, {field: False})
    assert (await probe.canary(Target("m", server.url), 10)).result == "token"


async def test_a_hung_engine_times_out_even_where_it_hangs_in_its_development_calls(
    server: Server, probe: HttpProbe
) -> None:
    for path in ("/is_paused", "/is_sleeping", "/v1/completions"):
        server.answers[path] = never
    canary = await probe.canary(Target("m", server.url), 1.0)
    assert canary.result == "timeout"
    assert canary.seconds >= 0.9
    assert "/v1/completions" in server.paths()


async def test_nobody_there_is_refused(probe: HttpProbe) -> None:
    assert (await probe.canary(Target("m", f"http://127.0.0.1:{free_port()}"), 5)).result == "refused"


async def test_an_engine_is_identified_by_both_of_its_answers(server: Server, probe: HttpProbe) -> None:
    assert await probe.identify(server.url + "/") == ("0.32.0", "tiny")
    server.says("/v1/models", {"error": "Unauthorized"}, status=401)
    assert await probe.identify(server.url) == ("0.32.0", "")
    server.says("/v1/models", {"detail": "Not Found"}, status=404)
    assert await probe.identify(server.url) is None
    server.says("/v1/models", MODELS)
    server.says("/version", {"Version": "24.0"})
    assert await probe.identify(server.url) is None


async def test_a_page_that_answers_everything_is_no_engine(probe: HttpProbe) -> None:
    async def page(request: web.Request) -> web.StreamResponse:
        return web.Response(text="<html>log in</html>", content_type="text/html")

    anything = Server()
    anything.answers = {"/version": page, "/v1/models": page}
    async with running(anything):
        assert await probe.identify(anything.url) is None
    assert await probe.identify(anything.url) is None
