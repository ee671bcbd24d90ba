"""Every probe: what an engine answers comes back, and nothing that a server does is an exception."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator

import pytest

from paramedic.adapters.http_probe import HttpProbe
from paramedic.model.target import Target
from paramedic.ports import Canary, Probe, Reply
from tests.fakes import FakeProbe
from tests.integration.pretend import free_port
from tests.integration.test_http_probe import MODELS, Server, running


class World(ABC):
    probe: Probe
    serving: Target
    down: Target

    @abstractmethod
    def pause(self) -> None: ...


class HttpWorld(World):
    def __init__(self, server: Server) -> None:
        self.server = server
        self.probe = HttpProbe(lambda target: None)
        self.serving = Target("serving", server.url)
        self.down = Target("down", f"http://127.0.0.1:{free_port()}")
        server.says("/version", {"version": "0.32.0"})
        server.says("/v1/models", MODELS)
        server.says("/v1/completions", {"choices": [{"text": "x"}]})
        for path in ("/metrics", "/health"):
            server.says(path, "up")

    def pause(self) -> None:
        self.server.says("/v1/completions", {"error": {"message": "Generation is paused."}}, status=503)


class FakeWorld(World):
    def __init__(self) -> None:
        self.probe = self.fake = FakeProbe()
        self.serving = Target("serving", "http://a:1")
        self.down = Target("down", "http://b:1")
        self.fake.engines["http://a:1"] = ("0.32.0", "tiny")
        self.fake.metrics_of["serving"] = self.fake.health_of["serving"] = Reply(200, body=b'"up"')
        self.fake.canary_of["serving"] = Canary("token", 0.1)

    def pause(self) -> None:
        self.fake.canary_of["serving"] = Canary("paused", 0.1, "HTTP 503")


@pytest.fixture(params=["http", "fake"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    if request.param == "fake":
        yield FakeWorld()
        return
    async with running(Server()) as server:
        world = HttpWorld(server)
        yield world
        await world.probe.close()


async def test_a_serving_engine_answers(world: World) -> None:
    for reply in (await world.probe.metrics(world.serving), await world.probe.health(world.serving)):
        assert (reply.status, reply.ok, reply.error, reply.body) == (200, True, "", b'"up"')
    assert (await world.probe.canary(world.serving, 10)).result == "token"
    assert await world.probe.identify(world.serving.url) == ("0.32.0", "tiny")


async def test_where_nobody_listens_everything_is_refused(world: World) -> None:
    for reply in (await world.probe.metrics(world.down), await world.probe.health(world.down)):
        assert (reply.status, reply.ok, reply.error) == (None, False, "refused")
    assert (await world.probe.canary(world.down, 10)).result == "refused"
    assert await world.probe.identify(world.down.url) is None


async def test_a_paused_engine_says_so(world: World) -> None:
    world.pause()
    canary = await world.probe.canary(world.serving, 10)
    assert canary.result == "paused"
    assert canary.detail


async def test_closing_twice_is_fine(world: World) -> None:
    await world.probe.close()
    await world.probe.close()
