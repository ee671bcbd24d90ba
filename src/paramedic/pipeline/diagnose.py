"""Diagnosing: collect what a diagnosis may look at, and let it judge, outside of the tick."""

import asyncio

from paramedic.diagnosis.diagnose import diagnose
from paramedic.diagnosis.numbers import SampledNumbers, Times
from paramedic.diagnosis.pattern import Catalogue
from paramedic.diagnosis.scene import Log, Numbers, Scene
from paramedic.journal.events import DiagnosisMade
from paramedic.journal.views import IncidentView, TargetView, View
from paramedic.model.finding import Diagnosis, Verdict
from paramedic.model.target import EngineState, Role
from paramedic.model.text import Text
from paramedic.pipeline.world import World
from paramedic.ports import LogChunk, LogSource
from paramedic.signals.evaluate import Evaluator

LOG_BYTES = 1_000_000
HISTORY = 1800.0  # seconds of its samples that a target is compared with
HISTORY_STEP = 15.0
SETTLED = 0.4  # seconds without a new line: a dying engine has said what it had to say
SETTLE_LIMIT = 2.0


def wanted(view: View) -> list[str]:
    """Open incidents whose diagnosis is missing, or older than what happened since."""
    names = []
    for incident in view.incidents.values():
        if not incident.open:
            continue
        target = view.targets.get(incident.target)
        newest = max((view.alerts[a].fired_at for a in incident.alerts if a in view.alerts), default=0)
        if target is not None and target.state in _TELLING:
            newest = max(newest, target.state_since)
        if incident.diagnosed_at < newest:
            names.append(incident.id)
    return names


_TELLING = frozenset(
    {EngineState.DEAD, EngineState.DOWN, EngineState.SILENT, EngineState.START_FAILED, EngineState.START_STALLED}
)


async def run(incident_id: str, world: World, catalogue: Catalogue, evaluator: Evaluator) -> None:
    """Diagnose one incident and write it down, unless it says just what was said before."""
    incident = world.view.incidents[incident_id]
    target = world.view.targets.get(incident.target)
    if target is None:
        return
    scene = await gather_scene(target, world, evaluator)
    diagnosis = _with_missing(await asyncio.to_thread(diagnose, scene, catalogue), target, scene)
    if keep_earlier(incident, diagnosis):
        diagnosis = incident.diagnosis or diagnosis
    because = max((world.view.alerts[a].fired_seq for a in incident.alerts if a in world.view.alerts), default=None)
    world.recorder.record(DiagnosisMade(incident_id, diagnosis), because)


def keep_earlier(incident: IncidentView, later: Diagnosis) -> bool:
    """A later look that tells nothing does not unsay what an earlier one found."""
    earlier = incident.diagnosis
    return earlier is not None and earlier.verdict is Verdict.FAULT and later.verdict is not Verdict.FAULT


async def gather_scene(target: TargetView, world: World, evaluator: Evaluator) -> Scene:
    """What the watcher saw of this run, its log, its processes, and a way to ask the samples."""
    logs = await _settled_log(target, world)
    tree = world.processes.tree(target.process) if target.process else None
    server_gone = any(e.role is Role.API_SERVER for e in target.exits)
    orphans = tuple(p for p in tree or () if p.role in (Role.ENGINE_CORE, Role.WORKER)) if server_gone else ()
    return Scene(
        logs=logs,
        state=target.state,
        exits=target.exits,
        orphans=orphans,
        arguments=tuple(target.process.title.split()) if target.process else (),
        numbers=_numbers(target.target.name, evaluator, world.clock.now() / 1e9),
        by_person=target.state is EngineState.STOPPED,
    )


async def _settled_log(target: TargetView, world: World) -> tuple[Log, ...]:
    path = target.log or target.target.log
    if not path:
        return ()
    source = world.open_log(path)
    try:
        chunk = await _settled(source, world, patient=target.state in _TELLING)
    finally:
        source.close()
    return (Log(chunk.file, chunk.lines, chunk.first_line),) if chunk.lines else ()


async def _settled(source: LogSource, world: World, *, patient: bool) -> LogChunk:
    """The tail of a log; a `patient` reader waits until nothing more comes: a dying engine has much to say."""
    chunk = await asyncio.to_thread(source.tail, LOG_BYTES)
    waited = 0.0
    while patient and waited < SETTLE_LIMIT:
        await world.clock.sleep(SETTLED)
        waited += SETTLED
        again = await asyncio.to_thread(source.tail, LOG_BYTES)
        if again == chunk:
            break
        chunk = again
    return chunk


def _numbers(target: str, evaluator: Evaluator, now: float) -> Numbers:
    """The samples of this target, of which what holds now counts."""
    return SampledNumbers(evaluator, target, Times(now - HISTORY, now, HISTORY_STEP), now=True)


def _with_missing(diagnosis: Diagnosis, target: TargetView, scene: Scene) -> Diagnosis:
    """Say what could not be read."""
    if scene.logs or diagnosis.verdict is Verdict.FAULT:
        return diagnosis
    name = target.target.name
    missing = Text(
        f"the log of {name} could not be read: give `log:` for it in the configuration, or `--log`",
        f"无法读取 {name} 的日志：请在配置中为它设置 `log:`，或使用 `--log`",
    )
    return Diagnosis(diagnosis.verdict, diagnosis.findings, diagnosis.advice, (*diagnosis.missing, missing))
