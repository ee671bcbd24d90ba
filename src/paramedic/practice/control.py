"""The control endpoint of a practice engine: on a port of its own, for whoever holds the token."""

import asyncio
import hmac
import math
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from paramedic.model.errors import UsageError
from paramedic.practice.api import Api
from paramedic.practice.engine_client import EngineClient
from paramedic.practice.fault import Patient
from paramedic.practice.faults import all_faults, find_fault
from paramedic.practice.settings import Settings
from paramedic.practice.traffic import Traffic

ANSWER_SECONDS = 0.2  # so long the answer to a command has before the server is signalled


@dataclass(slots=True)
class Stopping:
    """How the server ends when it is told to: at once, or when the last client has left, as the real one may."""

    waits_for_clients: bool = False


@dataclass(slots=True)
class Hands:
    """What a fault can do to the engine of this API server."""

    client: EngineClient
    api: Api
    traffic: Traffic
    stopping: Stopping
    slowed_down: bool = False
    _timers: list[asyncio.TimerHandle] = field(default_factory=list)

    @property
    def core_pid(self) -> int | None:
        return self.client.core_pid

    @property
    def worker_pids(self) -> list[int]:
        return self.client.worker_pids

    @property
    def metrics_delay(self) -> float:
        return self.api.metrics_delay

    def delay_metrics(self, seconds: float) -> None:
        self.api.metrics_delay = seconds

    @property
    def waits_for_clients(self) -> bool:
        return self.stopping.waits_for_clients

    def wait_for_clients(self, waits: bool) -> None:
        self.stopping.waits_for_clients = waits

    def slow_down(self, eager: bool) -> None:
        self.slowed_down = eager
        self.tell_core({"eager": eager})

    def tell_core(self, message: dict[str, Any]) -> None:
        self.client.say(message)

    def signal_api_server(self, number: int) -> None:
        loop = asyncio.get_running_loop()
        self._timers.append(loop.call_later(ANSWER_SECONDS, os.kill, os.getpid(), number))


class Control:
    """Breaks and mends one engine."""

    def __init__(self, settings: Settings, hands: Hands, token: str) -> None:
        self.patient = Patient(Path(settings.data_dir), Path(settings.model), settings.port, hands)
        self._token = token

    def application(self) -> ASGIApp:
        return Starlette(
            routes=[
                Route("/", self.state),
                Route("/faults/{id}", self.inflict, methods=["POST"]),
                Route("/faults", self.mend, methods=["DELETE"]),
            ]
        )

    async def state(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        return JSONResponse({"broken": [fault.id for fault in all_faults() if fault.is_broken(self.patient)]})

    async def inflict(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        try:
            fault = find_fault(request.path_params["id"])
            fault.inflict(self.patient, _seconds(request.query_params.get("seconds"), fault.seconds))
        except UsageError as error:
            return JSONResponse({"error": str(error)}, 409)
        return JSONResponse({"broken": fault.id})

    async def mend(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        return JSONResponse({"mended": [fault.id for fault in all_faults() if fault.mend(self.patient)]})

    def _refusal(self, request: Request) -> Response | None:
        given = request.headers.get("authorization", "")
        if hmac.compare_digest(given.encode(), f"Bearer {self._token}".encode()):
            return None
        return JSONResponse({"error": "the token is wrong"}, 401)


def _seconds(given: str | None, default: float) -> float:
    try:
        seconds = default if given is None else float(given)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise UsageError(f"seconds: {given} is no length of time: give a number from 0 on")
    return seconds
