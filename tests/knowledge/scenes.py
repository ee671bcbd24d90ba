"""Scenes for the proofs: a log file, or what a watcher saw, written as data."""

from pathlib import Path
from typing import Any

from paramedic.diagnosis.scene import Log, Scene
from paramedic.knowledge.written_samples import numbers_of
from paramedic.model.target import EngineProcess, EngineState, Exit, Role

RECORDINGS = Path(__file__).parents[1] / "recordings"


def log_of(path: Path) -> Log:
    """A log under a name that tells nothing."""
    return Log("server.log", path.read_text("utf-8", errors="replace").split("\n"))


def scene_of(seen: dict[str, Any], logs: tuple[Log, ...] = ()) -> Scene:
    """What a watcher saw: state, exits, orphans, arguments, and the samples."""
    return Scene(
        logs=logs,
        state=EngineState(seen["state"]) if "state" in seen else None,
        exits=tuple(_exit(each) for each in seen.get("exits", ())),
        orphans=tuple(EngineProcess(each["pid"], 0.0, Role(each["role"])) for each in seen.get("orphans", ())),
        arguments=tuple(seen.get("arguments", "").split()),
        numbers=numbers_of(seen["samples"], seen.get("baseline")) if "samples" in seen else None,
        by_person=seen.get("by_person", False),
    )


def _exit(each: dict[str, Any]) -> Exit:
    return Exit(each["pid"], Role(each["role"]), each.get("code"), each.get("signal"))
