"""What the shell offers when an id is asked for."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from paramedic.cli.options import default_data_dir
from paramedic.model.errors import ParamedicError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from paramedic.journal.views import View

_OFFERED = 50


def any_id(ctx: click.Context, _param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Incidents, alerts and actions, the latest first."""
    return _offer(ctx, incomplete, _all)


def waiting_action(ctx: click.Context, _param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Actions that wait for approval."""
    return _offer(ctx, incomplete, _waiting)


def watched_server(ctx: click.Context, _param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Servers under watch."""
    return _offer(ctx, incomplete, _servers)


def known_fault(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Faults that can be named here."""
    from click.shell_completion import CompletionItem

    from paramedic.app.knowledge import catalogue_in_use

    try:
        faults = catalogue_in_use().faults
    except (ParamedicError, OSError):
        return []
    return [CompletionItem(fault.id, help=fault.title.en) for fault in faults if fault.id.startswith(incomplete)]


def _offer(
    ctx: click.Context, incomplete: str, known: "Callable[[View], Iterator[tuple[str, str]]]"
) -> "list[CompletionItem]":
    from click.shell_completion import CompletionItem

    from paramedic.app.reading import read_view

    try:
        view = read_view(ctx.params.get("data_dir") or Path(default_data_dir()))
    except (ParamedicError, OSError):
        return []  # a shell that asks for words has no use for a sentence
    matching = [(name, help_) for name, help_ in known(view) if name.lower().startswith(incomplete.lower())]
    return [CompletionItem(name, help=help_) for name, help_ in matching[:_OFFERED]]


def _servers(view: "View") -> Iterator[tuple[str, str]]:
    for name, target in view.targets.items():
        if not target.removed:
            yield name, target.state.value


def _waiting(view: "View") -> Iterator[tuple[str, str]]:
    for name, action in reversed(view.actions.items()):
        if action.waits_for_approval:
            yield name, f"{action.kind} {action.request.target}"


def _all(view: "View") -> Iterator[tuple[str, str]]:
    for name, incident in reversed(view.incidents.items()):
        yield name, f"{incident.level} {incident.target}"
    for name, action in reversed(view.actions.items()):
        yield name, f"{action.kind} {action.request.target}"
    for name, alert in reversed(view.alerts.items()):
        yield name, f"{alert.alert.level} {alert.alert.target}"
