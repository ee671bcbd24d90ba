"""Whether a fault shows itself in a run of the log or in what the watcher saw, and by which evidence."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from paramedic.diagnosis.conditions import Value, read_value
from paramedic.diagnosis.pattern import ExitSight, Fault, Sight
from paramedic.diagnosis.reading import Hit, Run
from paramedic.diagnosis.record import without_secrets
from paramedic.diagnosis.scene import Held, Log, Scene, Window
from paramedic.diagnosis.stage import STOPPING
from paramedic.diagnosis.stats_line import find
from paramedic.diagnosis.template import Template
from paramedic.model.finding import Evidence
from paramedic.model.target import EngineState

WATCHER = "watcher"
STARTS = {"server-start", "model-load", "config"}  # families of faults that end a start
UNKNOWN = "unknown"  # the stage of a line before which the log tells none


@dataclass(frozen=True, slots=True)
class Match:
    """A fault that showed itself. `age` counts runs back from the last; `run` is None where only the watcher saw it."""

    fault: Fault
    confidence: float
    evidence: tuple[Evidence, ...]
    fields: Mapping[str, str] = field(default_factory=dict)
    run: Run | None = None
    index: int = -1
    age: int = 0
    advice: bool = False
    windows: tuple[Window, ...] = ()  # when the numbers showed it, the longest time first


def match_run(fault: Fault, run: Run, scene: Scene, arguments: Mapping[str, Value]) -> Match | None:
    """The best sight of a fault in one run, or None."""
    if any(run.hits.get(template.text) for template in fault.contradicted_by) or _is_over(fault, scene):
        return None
    found = [match for sight in fault.sights if (match := _in_run(fault, sight, run, scene, arguments))]
    if not found:
        return None
    best = max(found, key=lambda match: (not match.advice, match.confidence, -match.index))
    return replace(best, fields=_facts(fault, run) | dict(best.fields))


def _is_over(fault: Fault, scene: Scene) -> bool:
    """What shows itself in a state is over when the watcher sees the engine serve, whatever its log tells of before."""
    return scene.state is EngineState.SERVING and any(sight.states for sight in fault.sights)


def match_watcher(fault: Fault, scene: Scene, arguments: Mapping[str, Value]) -> Match | None:
    """What shows without any log: states, exits, orphans, metrics, arguments."""
    found = []
    for sight in fault.sights:
        around = None if sight.log or sight.stats else _around(sight, scene, arguments)
        if around is not None:
            fields = {**_watched_fields(scene), **around.held.figures}
            is_advice, windows = _is_advice(fault, sight), around.held.windows
            evidence = tuple(around.evidence)
            found.append(Match(fault, sight.confidence, evidence, fields, advice=is_advice, windows=windows))
    return max(found, key=lambda match: (not match.advice, match.confidence), default=None)


def _is_advice(fault: Fault, sight: Sight) -> bool:
    return fault.advice if sight.advice is None else sight.advice


def _in_run(fault: Fault, sight: Sight, run: Run, scene: Scene, arguments: Mapping[str, Value]) -> Match | None:
    """One sight of a fault in a run; sights without a log or stats part belong to the watcher."""
    if not sight.log and not sight.stats:
        return None
    around = _around(sight, scene, arguments)
    if around is None:
        return None
    is_advice = _is_advice(fault, sight)
    for index, fields in _places(fault, sight, run, arguments):
        evidence = (evidence_at(run.log, index), *around.evidence)
        fields = {**around.held.figures, **fields}
        return Match(fault, sight.confidence, evidence, fields, run, index, 0, is_advice, around.held.windows)
    return None


def _places(
    fault: Fault, sight: Sight, run: Run, arguments: Mapping[str, Value]
) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Where a log shows this sight, first place first."""
    hits = sorted((hit for template in sight.log for hit in run.hits.get(template.text, ())), key=_index)
    fitting = [
        hit
        for hit in hits
        if _in_time(hit, fault, sight, run) and _fits(hit, sight, run, arguments) and _concerns(hit, fault)
    ]
    if sight.stats is None:
        yield from ((hit.index, hit.fields) for hit in fitting)
        return
    if sight.log and not fitting:
        return
    lines = [line for line in run.stats if run.stage_at(line.index) != STOPPING]
    end = next((index for index, stage in run.stages if stage == STOPPING), run.last + 1) - 1
    if not run.fallout and (show := find(sight.stats, lines, arguments, end)):
        yield show.last if sight.stats.falls else show.first, show.fields


def _in_time(hit: Hit, fault: Fault, sight: Sight, run: Run) -> bool:
    """What came before an engine that then served did not keep it from serving; what keeps an engine from starting
    means nothing once it serves, unless the sight asks for just that stage."""
    if _is_advice(fault, sight) or not run.was_ready:
        return True
    if hit.index < run.ready_at:
        return False
    return bool(sight.stages) or fault.family not in STARTS


def _fits(hit: Hit, sight: Sight, run: Run, arguments: Mapping[str, Value]) -> bool:
    """Whether the message means this here."""
    stage = hit.stage or UNKNOWN
    if (stage not in sight.stages) if sight.stages else (stage == STOPPING):
        return False
    if sight.numbers:
        known = {**arguments, **{name: read_value(value) for name, value in hit.fields.items()}}
        if not all(comparison.holds(known) for comparison in sight.numbers):
            return False
    if sight.after and not _stands_before(hit, sight.after, run):
        return False
    if sight.roles and hit.record.role not in sight.roles:
        return False
    if any(template.regex.search(said) for template in sight.unless for said in (hit.record.text, hit.record.level)):
        return False
    return not sight.ended_by or not _ended(hit, sight, run)


def _concerns(hit: Hit, fault: Fault) -> bool:
    """Whether the number in the message is for this fault to tell."""
    return fault.table is None or fault.table.concerns(fault.id, hit.fields)


def _stands_before(hit: Hit, templates: Sequence[Template], run: Run) -> bool:
    return any(other.index < hit.index for template in templates for other in run.hits.get(template.text, ()))


def _ended(hit: Hit, sight: Sight, run: Run) -> bool:
    """Whether the awaited line came in time, by the engine's own clock."""
    for template in sight.ended_by:
        for follower in run.hits.get(template.text, ()):
            if follower.index > hit.index:
                before, after = run.seconds_at(hit.index), run.seconds_at(follower.index)
                return before is None or after is None or after - before < sight.within
    return False


@dataclass(frozen=True, slots=True)
class Around:
    """What stands beside the log: the evidence, and when the numbers showed it."""

    evidence: list[Evidence]
    held: Held


def _around(sight: Sight, scene: Scene, arguments: Mapping[str, Value]) -> Around | None:
    """The evidence beside the log, None where something that is required does not hold."""
    checks: tuple[tuple[object, Callable[[], list[Evidence] | None]], ...] = (
        (sight.arguments, lambda: _arguments(sight, arguments)),
        (sight.states, lambda: _state(sight, scene)),
        (sight.exits, lambda: _exits(sight.exits, scene)),
        (sight.orphans, lambda: _orphans(scene)),
    )
    evidence: list[Evidence] = []
    for required, check in checks:
        if required:
            found = check()
            if found is None:
                return None
            evidence += found
    held = _held(sight, scene, arguments)
    if held is None:
        return None
    return Around(evidence + _shown_by(sight), held)


def _arguments(sight: Sight, arguments: Mapping[str, Value]) -> list[Evidence] | None:
    if not all(comparison.holds(arguments) for comparison in sight.arguments):
        return None
    names = [comparison.name for comparison in sight.arguments]
    return [Evidence("arguments", 0, ", ".join(f"{name}={_shown(arguments[name])}" for name in names))]


def _shown(value: Value) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _state(sight: Sight, scene: Scene) -> list[Evidence] | None:
    if scene.state not in sight.states or scene.by_person:
        return None
    return [Evidence(WATCHER, 0, f"state {scene.state}")]


def _exits(wanted: tuple[ExitSight, ...], scene: Scene) -> list[Evidence] | None:
    if scene.by_person:
        return None
    seen = [end for end in scene.exits if any(
        end.role is want.role
        and (want.code is None or end.code == want.code)
        and (want.by_signal is None or (end.signal is not None) is want.by_signal)
        for want in wanted)]  # fmt: skip
    return [Evidence(WATCHER, 0, f"{end.role} (pid {end.pid}): {end}") for end in seen] or None


def _orphans(scene: Scene) -> list[Evidence] | None:
    return [Evidence(WATCHER, 0, f"{each.role} (pid {each.pid}) is still alive") for each in scene.orphans] or None


def _held(sight: Sight, scene: Scene, arguments: Mapping[str, Value]) -> Held | None:
    """When the numbers showed it; where none are asked for, at no time in particular."""
    if sight.metrics is None:
        return Held()
    return scene.numbers.held(sight.metrics, arguments) if scene.numbers else None


def _shown_by(sight: Sight) -> list[Evidence]:
    if sight.metrics is None:
        return []
    conditions = [sight.metrics.as_written(condition) for condition in sight.metrics.conditions]
    others = [
        f"{sight.metrics.as_written(each.value)} {'<=' if each.below else '>='} {each.times:g} x ({each.than})"
        for each in sight.metrics.compared
    ]
    return [Evidence("metrics", 0, text) for text in (*conditions, *others)]


def _watched_fields(scene: Scene) -> dict[str, str]:
    fields = {"state": str(scene.state)} if scene.state else {}
    if scene.exits:
        fields |= {"ended_role": str(scene.exits[0].role), "ended_pid": str(scene.exits[0].pid)}
        fields["ended_how"] = str(scene.exits[0])
    if scene.orphans:
        fields["orphan_pids"] = " ".join(str(each.pid) for each in scene.orphans)
    return fields


def _facts(fault: Fault, run: Run) -> dict[str, str]:
    """Numbers from elsewhere in the same run; the last that was said counts."""
    found: dict[str, str] = {}
    for template in fault.facts:
        for hit in run.hits.get(template.text, ()):
            found |= hit.fields
    return found


def evidence_at(log: Log, index: int, limit: int = 600) -> Evidence:
    """A line as evidence: numbered as in its file, secrets masked, cut at `limit` characters."""
    return Evidence(log.name, log.number(index), without_secrets(log.lines[index].strip(), limit))


def _index(hit: Hit) -> int:
    return hit.index
