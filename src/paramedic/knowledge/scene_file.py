"""A scene as data: what a watcher saw and what was sampled, for the proof of a fault that no log shows."""

from pathlib import Path

from paramedic.diagnosis.numbers import SampledNumbers
from paramedic.diagnosis.scene import Scene
from paramedic.knowledge.fields import Fields
from paramedic.knowledge.written_samples import numbers_of
from paramedic.knowledge.yaml_file import read_yaml
from paramedic.model.target import EngineProcess, EngineState, Exit, Role


def read_scene(path: Path, fault: str) -> tuple[Scene, str]:
    """The scene, and which fault must be found first in it (`first:`, else the fault itself). Raises InvalidFiles."""
    file = read_yaml(path)
    fields = Fields(file, ())
    fields.only("state", "exits", "orphans", "arguments", "samples", "baseline", "by_person", "first")
    scene = Scene(
        state=fields.choice("state", EngineState, None) if "state" in fields else None,
        exits=tuple(_exit(each) for each in fields.items("exits")),
        orphans=tuple(_process(each) for each in fields.items("orphans")),
        arguments=tuple(fields.string("arguments").split()),
        numbers=_numbers(fields),
        by_person=fields.flag("by_person"),
    )
    file.raise_problems()
    return scene, fields.string("first") or fault


def _numbers(fields: Fields) -> SampledNumbers | None:
    """What was sampled, and in a good time to compare with."""
    samples, baseline = (_strings(fields.inner(key)) for key in ("samples", "baseline"))
    try:
        return numbers_of(samples, baseline) if samples else None
    except ValueError as error:
        fields.wrong("samples", str(error))
        return None


def _strings(fields: Fields | None) -> dict[str, str]:
    return {} if fields is None else {key: fields.string(key) for key in fields}


def _exit(fields: Fields) -> Exit:
    fields.only("pid", "role", "code", "signal")
    code = int(fields.number("code", 0)) if "code" in fields else None
    signal = int(fields.number("signal", 0)) if "signal" in fields else None
    return Exit(int(fields.number("pid", 0)), fields.choice("role", Role, None), code, signal)


def _process(fields: Fields) -> EngineProcess:
    fields.only("pid", "role")
    return EngineProcess(int(fields.number("pid", 0)), 0.0, fields.choice("role", Role, None))
