"""Discovering: the engines of this machine, whoever started them, become targets."""

from collections.abc import Callable

from paramedic.journal.events import EngineSeen, TargetAdded
from paramedic.journal.views import TargetView, View
from paramedic.model.target import EngineProcess, Mode, Origin, Target
from paramedic.pipeline.world import World
from paramedic.ports import Candidate


async def look(world: World, mode: Mode) -> None:
    """Add what is new; note a new run of what is known."""
    for candidate in world.processes.find():
        if _is_known(world.view, candidate.process):
            continue
        known = _target_at(world.view, candidate)
        if known is None:
            known = await _add(world, candidate, mode)
        if known is not None and not _lives(world, known):
            log = candidate.log or known.target.log
            world.recorder.record(
                EngineSeen(known.target.name, known.run + 1, candidate.process, False, log), known.added_seq
            )


def _is_known(view: View, process: EngineProcess) -> bool:
    return any(
        t.process is not None and t.process.pid == process.pid and abs(t.process.started - process.started) < 1.0
        for t in view.targets.values()
        if not t.removed
    )


def _target_at(view: View, candidate: Candidate) -> TargetView | None:
    urls = {_plain(url) for url in candidate.urls}
    return next((t for t in view.targets.values() if not t.removed and _plain(t.target.url) in urls), None)


def _plain(url: str) -> str:
    return url.replace("://localhost:", "://127.0.0.1:").replace("://0.0.0.0:", "://127.0.0.1:")


def _lives(world: World, target: TargetView) -> bool:
    """The process that we know for this target is still there: another one at its address is not its next run."""
    if target.process is None:
        return False
    tree = world.processes.tree(target.process)
    return tree is None or any(p.pid == target.process.pid for p in tree)


async def _add(world: World, candidate: Candidate, mode: Mode) -> TargetView | None:
    if not candidate.urls:
        return None
    url = candidate.urls[0]
    model = served_model(candidate.argv)
    for tried in candidate.urls:
        if identity := await world.probe.identify(tried):
            url, model = tried, identity[1] or model
            break
    name = free_name(world.view, f"{model.rstrip('/').rsplit('/', 1)[-1] or 'engine'}@{url.split('://', 1)[-1]}")
    target = Target(name, url, Origin.FOUND, mode, model=model, log=candidate.log)
    world.recorder.record(TargetAdded(target))
    return world.view.targets[name]


def free_name(view: View, wanted: str) -> str:
    """A name that no living target has."""
    taken: Callable[[str], bool] = lambda name: name in view.targets and not view.targets[name].removed  # noqa: E731
    if not taken(wanted):
        return wanted
    return next(name for n in range(2, 10_000) if not taken(name := f"{wanted}-{n}"))


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
