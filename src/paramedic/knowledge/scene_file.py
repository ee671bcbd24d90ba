"""A scene as data: what a watcher saw, and which conditions held, for the proof of a fault that no log shows."""

from collections.abc import Collection, Mapping
from pathlib import Path

from paramedic.diagnosis.conditions import Value
from paramedic.diagnosis.pattern import MetricsSight
from paramedic.diagnosis.scene import Held, Scene
from paramedic.knowledge.fields import Fields
from paramedic.knowledge.yaml_file import read_yaml
from paramedic.model.target import EngineProcess, EngineState, Exit, Role


class Said:
    """Numbers of which is only known which conditions hold."""

    def __init__(self, holds: Collection[str]) -> None:
        self._holds = frozenset(holds)

    def held(self, sight: MetricsSight, arguments: Mapping[str, Value]) -> Held | None:
        return Held() if self._holds.issuperset(sight.decisive()) else None


def read_scene(path: Path, fault: str) -> tuple[Scene, str]:
    """The scene, and which fault must be found first in it (`first:`, else the fault itself). Raises InvalidFiles."""
    file = read_yaml(path)
    fields = Fields(file, ())
    fields.only("state", "exits", "orphans", "arguments", "holds", "by_person", "first")
    scene = Scene(
        state=fields.choice("state", EngineState, None) if "state" in fields else None,
        exits=tuple(_exit(each) for each in fields.items("exits")),
        orphans=tuple(_process(each) for each in fields.items("orphans")),
        arguments=tuple(fields.string("arguments").split()),
        numbers=Said(fields.strings("holds")) if "holds" in fields else None,
        by_person=fields.flag("by_person"),
    )
    file.raise_problems()
    return scene, fields.string("first") or fault


def _exit(fields: Fields) -> Exit:
    fields.only("pid", "role", "code", "signal")
    code = int(fields.number("code", 0)) if "code" in fields else None
    signal = int(fields.number("signal", 0)) if "signal" in fields else None
    return Exit(int(fields.number("pid", 0)), fields.choice("role", Role, None), code, signal)


def _process(fields: Fields) -> EngineProcess:
    fields.only("pid", "role")
    return EngineProcess(int(fields.number("pid", 0)), 0.0, fields.choice("role", Role, None))
