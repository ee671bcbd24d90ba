"""Reaching an engine in another network: which address leads to it, and to no other engine that looks like it."""

import asyncio
import re

from paramedic.model.target import Target
from paramedic.pipeline.world import World
from paramedic.ports import Candidate

_STARTED = re.compile(rb"^process_start_time_seconds(?:\{[^}]*\})? ([0-9.eE+]+)", re.MULTILINE)
_SAME_S, _ANOTHER_S = 5.0, 60.0  # between two readings of one start; what lies between them tells nothing


async def way_to(world: World, candidate: Candidate) -> str:
    """The address at which just this server answers; "" where none is found.

    Looked at: where its port is published, and the addresses of servers that were named and whose process is not seen.
    """
    named = [t.target.url for t in world.view.targets.values() if not t.removed and t.process is None and t.target.url]
    asked = [*((url, False) for url in candidate.urls), *((url, True) for url in named)]
    answers = await asyncio.gather(*(_answers_there(world, candidate, url, sure=sure) for url, sure in asked))
    return next((url for (url, _), it_is in zip(asked, answers, strict=True) if it_is), "")


async def _answers_there(world: World, candidate: Candidate, url: str, *, sure: bool) -> bool:
    """`sure`: the same model is not enough, it must have begun when the process did."""
    identity = await world.probe.identify(url)
    if identity is None:
        return False
    served, wanted = identity[1], served_model(candidate.argv)
    if served and wanted and served != wanted:
        return False
    began = await _began(world, url)
    if began is None:
        return not sure and bool(served and wanted)
    apart = abs(began - candidate.process.started)
    return apart < _SAME_S if sure or not (served and wanted) else apart < _ANOTHER_S


async def _began(world: World, url: str) -> float | None:
    """When the server that answers there began (epoch seconds), by its own word; None where it does not say."""
    page = await world.probe.metrics(Target("", url))
    said = _STARTED.search(page.body) if page.ok else None
    try:
        return float(said.group(1)) if said else None
    except ValueError:
        return None


def served_model(argv: tuple[str, ...]) -> str:
    """The served model name that the arguments tell, else the model, else ""."""
    for flag in ("--served-model-name", "--model"):
        for place, word in enumerate(argv):
            if word == flag and place + 1 < len(argv):
                return argv[place + 1]
            if word.startswith(f"{flag}="):
                return word.split("=", 1)[1]
    if "serve" in argv[:-1]:
        word = argv[argv.index("serve") + 1]
        return "" if word.startswith("-") else word
    return ""
