"""Discovering: the engines of this machine, whoever started them, become targets."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from urllib.parse import urlsplit

from paramedic.journal.events import EngineSeen, ReadingRefused, TargetAdded, TargetRemoved
from paramedic.journal.views import TargetView, View
from paramedic.model.target import EngineProcess, Mode, Origin, Target
from paramedic.model.text import Text
from paramedic.pipeline.reach import served_model, way_to
from paramedic.pipeline.world import World
from paramedic.ports import Candidate

_IS_NAMED = Text("it is watched under the address that was given for it", "已按指定的地址看护")


async def look(world: World, mode: Mode) -> None:
    """Add what is new; note a new run of what is known, a way to what was out of reach, and what may not be read."""
    apart = []
    for candidate in world.processes.find():
        if candidate.apart:
            apart.append(candidate)
        else:
            await _look_at(world, candidate, mode)
    await asyncio.gather(*(_look_at(world, candidate, mode) for candidate in apart))  # ways may be slow to fail


async def _look_at(world: World, candidate: Candidate, mode: Mode) -> None:
    known = _known(world.view, candidate.process)
    if known is None:
        known = await (_meet_apart if candidate.apart else _meet)(world, candidate, mode)
    elif candidate.apart and not known.target.url:
        await _reach(world, candidate, known)
    if known is not None and candidate.unreadable and candidate.unreadable != known.unreadable:
        world.recorder.record(ReadingRefused(known.target.name, candidate.unreadable), known.state_seq or None)


async def _meet(world: World, candidate: Candidate, mode: Mode) -> TargetView | None:
    known = _target_at(world.view, candidate.urls)
    return _note_run(world, candidate, known or await _add(world, candidate, mode))


async def _meet_apart(world: World, candidate: Candidate, mode: Mode) -> TargetView | None:
    """One in another network: its address is claimed only when just this server has answered there."""
    url = await way_to(world, candidate)
    model = served_model(candidate.argv)
    known = _target_at(world.view, (url,)) if url else _target_named(world.view, _name(model, candidate.apart))
    if known is not None and not url and world.lives(known) is not False:
        known = None  # a second one in the same place
    if known is None:
        name = _name(model, urlsplit(url).netloc if url else candidate.apart)
        known = _added(world, Target(free_name(world.view, name), url, Origin.FOUND, mode, model=model))
    return _note_run(world, candidate, known)


async def _reach(world: World, candidate: Candidate, known: TargetView) -> None:
    """A way may be opened later, or its server answers only now."""
    url = await way_to(world, candidate)
    if url and (other := _target_at(world.view, (url,))) is not None:  # named with --target meanwhile
        world.recorder.record(TargetRemoved(known.target.name, _IS_NAMED), known.added_seq)
        _note_run(world, candidate, other)
    elif url:
        world.recorder.record(TargetAdded(replace(known.target, url=url)), known.added_seq)


def _note_run(world: World, candidate: Candidate, known: TargetView | None) -> TargetView | None:
    if known is None or world.lives(known) is not False:
        return None  # another one at its address is not its next run
    log = candidate.log or known.target.log
    seen = EngineSeen(known.target.name, known.run + 1, candidate.process, False, log)
    world.recorder.record(seen, known.added_seq)
    return world.view.targets[known.target.name]


def _known(view: View, process: EngineProcess) -> TargetView | None:
    return next(
        (
            t
            for t in view.targets.values()
            if not t.removed
            and t.process is not None
            and t.process.pid == process.pid
            and abs(t.process.started - process.started) < 1.0
        ),
        None,
    )


def _target_at(view: View, urls: Iterable[str]) -> TargetView | None:
    wanted = {_plain(url) for url in urls}
    return next((t for t in view.targets.values() if not t.removed and _plain(t.target.url) in wanted), None)


def _target_named(view: View, name: str) -> TargetView | None:
    known = view.targets.get(name)
    return None if known is None or known.removed else known


def _plain(url: str) -> str:
    return url.replace("://localhost:", "://127.0.0.1:").replace("://0.0.0.0:", "://127.0.0.1:")


async def _add(world: World, candidate: Candidate, mode: Mode) -> TargetView | None:
    if not candidate.urls:
        return None
    url = candidate.urls[0]
    model = served_model(candidate.argv)
    for tried in candidate.urls:
        if identity := await world.probe.identify(tried):
            url, model = tried, identity[1] or model
            break
    name = free_name(world.view, _name(model, urlsplit(url).netloc))
    return _added(world, Target(name, url, Origin.FOUND, mode, model=model, log=candidate.log))


def _added(world: World, target: Target) -> TargetView:
    world.recorder.record(TargetAdded(target))
    return world.view.targets[target.name]


def _name(model: str, place: str) -> str:
    return f"{model.rstrip('/').rsplit('/', 1)[-1] or 'engine'}@{place}"


def free_name(view: View, wanted: str) -> str:
    """A name that no living target has."""
    taken: Callable[[str], bool] = lambda name: name in view.targets and not view.targets[name].removed  # noqa: E731
    if not taken(wanted):
        return wanted
    return next(name for n in range(2, 10_000) if not taken(name := f"{wanted}-{n}"))
