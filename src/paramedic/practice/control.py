"""The control endpoint of a practice engine: on a port of its own, for whoever holds the token."""

import hmac
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from paramedic.model.errors import UsageError
from paramedic.practice.engine_client import EngineClient
from paramedic.practice.faults import Patient, fault_ids, find_fault
from paramedic.practice.settings import Settings


class Control:
    """Breaks and mends one engine."""

    def __init__(self, settings: Settings, engine: EngineClient, token: str) -> None:
        self.settings = settings
        self.engine = engine
        self._token = token

    def application(self) -> ASGIApp:
        return Starlette(
            routes=[
                Route("/", self.state),
                Route("/faults/{id}", self.inflict, methods=["POST"]),
                Route("/faults", self.mend, methods=["DELETE"]),
            ]
        )

    @property
    def patient(self) -> Patient:
        return Patient(self.engine.core_pid, Path(self.settings.model), Path(self.settings.data_dir))

    async def state(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        return JSONResponse({"broken": [fault for fault in fault_ids() if find_fault(fault).is_broken(self.patient)]})

    async def inflict(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        try:
            find_fault(request.path_params["id"]).inflict(self.patient)
        except UsageError as error:
            return JSONResponse({"error": str(error)}, 409)
        return JSONResponse({"broken": request.path_params["id"]})

    async def mend(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        return JSONResponse({"mended": [fault for fault in fault_ids() if find_fault(fault).mend(self.patient)]})

    def _refusal(self, request: Request) -> Response | None:
        given = request.headers.get("authorization", "")
        if hmac.compare_digest(given.encode(), f"Bearer {self._token}".encode()):
            return None
        return JSONResponse({"error": "the token is wrong"}, 401)
