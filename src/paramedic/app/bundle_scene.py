"""What was recorded becomes a scene for a diagnosis: a bundle, or a folder in the layout of one."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from paramedic.app.bundle import not_seen
from paramedic.app.bundle_log import recorded_part
from paramedic.app.bundle_unpack import is_archive, unpacked
from paramedic.app.recordings import is_recording, read_recording
from paramedic.diagnosis.scene import Log, Scene
from paramedic.journal.plain import from_plain
from paramedic.model.errors import InvalidFiles, Problem, UsageError
from paramedic.model.finding import Diagnosis, Verdict
from paramedic.model.target import EngineProcess, EngineState, Exit
from paramedic.model.text import Text

NEEDED = frozenset({"log", "metrics"})  # without either of them nobody can say that all is well
BESIDE = ("kernel.log",)  # logs beside the server's own
OLDEST_LINES = 200_000  # of a log beside it that are looked at


@dataclass(frozen=True, slots=True)
class Recorded:
    """A scene, and what the recording could not see."""

    scene: Scene
    missing: tuple[Text, ...] = ()
    blind: bool = False  # it lacks what is needed to say that nothing is wrong

    def judged(self, diagnosis: Diagnosis) -> Diagnosis:
        """The diagnosis with what could not be seen: a cause that was found stands, and health is not claimed."""
        if diagnosis.verdict is Verdict.FAULT or not self.missing:
            return diagnosis
        verdict = Verdict.UNKNOWN if self.blind else diagnosis.verdict
        return replace(diagnosis, verdict=verdict, missing=(*diagnosis.missing, *self.missing))


def is_recorded(path: Path) -> bool:
    """Whether that is a recording, and no log."""
    return is_recording(path) if path.is_dir() else is_archive(path)


@contextmanager
def recorded(path: Path, baseline: Path | None = None) -> Iterator[Recorded]:
    """Open a bundle or a folder; `baseline` is a recording of a good time to compare it with.

    Raises UsageError or InvalidFiles for what is no recording, or is damaged.
    """
    with ExitStack() as stack:
        compared = stack.enter_context(_opened(baseline)) if baseline is not None else None
        opened = stack.enter_context(_opened(path))
        try:
            base = compared.folder if compared else None
            yield scene_of_folder(opened.folder, opened.name, base, opened.missing, seconds=opened.seconds)
        except InvalidFiles as error:
            raise InvalidFiles([_of_bundle(problem, opened, compared) for problem in error.problems]) from error


@dataclass(frozen=True, slots=True)
class _Opened:
    folder: Path
    name: str
    missing: tuple[tuple[str, Text], ...] = ()
    seconds: float | None = None


@contextmanager
def _opened(path: Path) -> Iterator[_Opened]:
    if path.is_dir():
        if not is_recording(path):
            raise UsageError(f"{path} is no recording: it holds neither scrapes nor health checks beside a log")
        yield _Opened(path, str(path))
        return
    with unpacked(path) as (folder, manifest):
        yield _Opened(folder, str(path), manifest.could_not, max(0.0, manifest.until - manifest.since))


def scene_of_folder(
    folder: Path,
    name: str,
    baseline: Path | None = None,
    could_not: tuple[tuple[str, Text], ...] = (),
    log: tuple[str, int] | None = None,
    seconds: float | None = None,
) -> Recorded:
    """The scene of a recording's folder, its files called by the `name` of what holds them.

    `log`: where the server's log really lies, and the number that its first recorded line has there. `seconds`: how
    long was recorded, where that is known.
    """
    scene = read_recording(folder, baseline)
    logs = [replace(each, name=f"{name}/{Path(each.name).name}") for each in scene.logs]
    if log is not None and logs:
        logs[0] = replace(logs[0], name=log[0], first_line=log[1])
    if seconds is not None and logs:
        logs[0] = recorded_part(logs[0], seconds)
    logs += [
        Log(f"{name}/{each}", (folder / each).read_text("utf-8", "replace").splitlines()[-OLDEST_LINES:])
        for each in BESIDE
        if (folder / each).exists()
    ]
    blind = any(what in NEEDED for what, _ in could_not)
    return Recorded(_with_what_was_watched(replace(scene, logs=tuple(logs)), folder), not_seen(could_not), blind)


def _with_what_was_watched(scene: Scene, folder: Path) -> Scene:
    """State and ends of processes, where a watcher wrote them down."""
    try:
        said = json.loads((folder / "watched.json").read_text("utf-8"))
        state = EngineState(said["state"])
        exits = tuple(from_plain(Exit, one) for one in said["exits"])
        orphans = tuple(from_plain(EngineProcess, one) for one in said.get("orphans", ()))
        by_person = bool(said["by_person"])
    except FileNotFoundError:
        return scene
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidFiles([Problem(str(folder / "watched.json"), 0, "cannot be read")]) from error
    return replace(
        scene, state=state, exits=exits or scene.exits, orphans=orphans or scene.orphans, by_person=by_person
    )


def _of_bundle(problem: Problem, *opened: _Opened | None) -> Problem:
    """A mistake in a file of a bundle bears the bundle's name, not that of the folder it was unpacked into."""
    for one in opened:
        if one is not None and Path(problem.file).is_relative_to(one.folder):
            return replace(problem, file=f"{one.name}/{Path(problem.file).relative_to(one.folder)}")
    return problem
