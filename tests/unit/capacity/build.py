"""Accounts from lines of a log, as `paramedic memory` makes them."""

from pathlib import Path

from paramedic.capacity.account import Account, Settings
from paramedic.capacity.kv_cache import Shape
from paramedic.capacity.memory import add_up
from paramedic.capacity.startup import Message, Start, read_starts
from paramedic.diagnosis.arguments import logged_arguments, resolved_arguments
from paramedic.diagnosis.record import read_record

LOGS = Path(__file__).parents[2] / "recordings" / "logs"


def starts_of(text: str) -> list[Start]:
    records = ((number, read_record(raw)) for number, raw in enumerate(text.splitlines(), 1))
    return read_starts(
        Message("server.log", number, record.text, record.tag, record.level) for number, record in records
    )


def settings_of(start: Start) -> Settings:
    settings: dict[str, float | str | bool] = {}
    for text in start.opening:
        settings = resolved_arguments(text) | settings | logged_arguments(text)
    return settings


def account_of(text: str, total: float | None = None, shape: Shape | None = None) -> Account:
    start = starts_of(text)[-1]
    return add_up(start, settings_of(start), total, shape)


def recorded(run: str) -> str:
    return (LOGS / f"{run}.log").read_text(encoding="utf-8", errors="replace")
