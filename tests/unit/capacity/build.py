"""Accounts from lines of a log, as `paramedic memory` makes them."""

from pathlib import Path

from paramedic.capacity.account import Account
from paramedic.capacity.kv_cache import Shape
from paramedic.capacity.memory import add_up
from paramedic.capacity.startup import Start
from paramedic.cli import startup_log
from paramedic.cli.startup_log import settings_of
from paramedic.diagnosis.scene import Log

LOGS = Path(__file__).parents[2] / "recordings" / "logs"

__all__ = ["account_of", "recorded", "settings_of", "starts_of"]


def starts_of(text: str) -> list[Start]:
    return startup_log.starts_of([Log("server.log", text.splitlines())])


def account_of(text: str, total: float | None = None, shape: Shape | None = None) -> Account:
    start = starts_of(text)[-1]
    return add_up(start, settings_of(start), total, shape)


def recorded(run: str) -> str:
    return (LOGS / f"{run}.log").read_text(encoding="utf-8", errors="replace")
