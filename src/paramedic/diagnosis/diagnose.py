"""From a scene to an answer: match every fault, keep the first cause and not its fallout, put it into words."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from paramedic.diagnosis.arguments import ASSUMED, command_arguments
from paramedic.diagnosis.conditions import Value
from paramedic.diagnosis.explain import finding_of
from paramedic.diagnosis.match import Match, match_run, match_watcher
from paramedic.diagnosis.missing import what_is_missing
from paramedic.diagnosis.pattern import Catalogue
from paramedic.diagnosis.rank import ranked
from paramedic.diagnosis.reading import Reader, Run
from paramedic.diagnosis.scene import Scene
from paramedic.model.finding import Diagnosis, Verdict


def diagnose(scene: Scene, catalogue: Catalogue) -> Diagnosis:
    """What is wrong, ranked; or that nothing is; or what would be needed to tell.

    Pure: the same scene gives the same answer. It raises nothing, whatever the logs hold.
    """
    reader = Reader(catalogue)
    logs = [reader.read(log) for log in scene.logs]
    matches = [*_in_logs(scene, catalogue, logs), *_by_watching(scene, catalogue, logs)]
    faults = ranked([match for match in matches if not match.advice])
    named = {match.fault.id for match in faults}
    advice = _once([match for match in matches if match.advice and match.fault.id not in named])
    findings = tuple(finding_of(match, catalogue, _arguments(scene, match.run)) for match in faults)
    advised = tuple(finding_of(match, catalogue, _arguments(scene, match.run)) for match in advice)
    if findings:
        return Diagnosis(Verdict.FAULT, findings, advised)
    missing = what_is_missing(scene, [runs[-1] for runs in logs])
    return Diagnosis(Verdict.UNKNOWN if missing else Verdict.HEALTHY, (), advised, missing)


def _in_logs(scene: Scene, catalogue: Catalogue, logs: Sequence[Sequence[Run]]) -> list[Match]:
    """Every fault in every run of every log; the youngest run of each log has the age 0."""
    return [
        replace(match, age=age)
        for runs in logs
        for age, run in enumerate(reversed(runs))
        for fault in catalogue.faults
        if (match := match_run(fault, run, scene, _arguments(scene, run)))
    ]


def _by_watching(scene: Scene, catalogue: Catalogue, logs: Sequence[Sequence[Run]]) -> list[Match]:
    last = logs[0][-1] if logs else None
    arguments = _arguments(scene, last)
    return [match for fault in catalogue.faults if (match := match_watcher(fault, scene, arguments))]


def _arguments(scene: Scene, run: Run | None) -> Mapping[str, Value]:
    """What the command line says wins over the log, and both over the engine's usual defaults."""
    return {**ASSUMED, **(run.arguments if run else {}), **command_arguments(scene.arguments)}


def _once(matches: Sequence[Match]) -> list[Match]:
    """Each piece of advice once, the most certain first."""
    best: dict[str, Match] = {}
    for match in sorted(matches, key=lambda match: (match.age, -match.confidence)):
        best.setdefault(match.fault.id, match)
    return sorted(best.values(), key=lambda match: -match.confidence)
