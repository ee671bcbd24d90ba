"""A server that is looked at for a moment: its recording, and what state it is in by what it answered."""

import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from paramedic.adapters.http_probe import HttpProbe
from paramedic.adapters.processes.linux import LinuxProcesses
from paramedic.adapters.supervisors.child import ChildSupervisor
from paramedic.app.bundle import Manifest
from paramedic.app.bundle_scene import Recorded, scene_of_folder
from paramedic.app.config import Config
from paramedic.app.folder import DataFolder
from paramedic.app.reading import read_view
from paramedic.app.recorder import Recorder
from paramedic.app.recorder_folder import RecordingFolder
from paramedic.app.recorder_stored import KEPT_NS, stored_scrapes, write_watched
from paramedic.app.recorder_target import Subject
from paramedic.app.wiring import keys_of
from paramedic.knowledge.lexicon import load_vocabulary
from paramedic.model.target import EngineProcess, EngineState, Role
from paramedic.pipeline.figures import FigureReader
from paramedic.ports import Probe, Reply
from paramedic.signals.exposition import Parser
from paramedic.signals.liveness import Limits

CANARY_S = 12.0
_CORE = frozenset({Role.ENGINE_CORE, Role.WORKER})


class Looks:
    """What the answers of a server tell of its state, without a watch."""

    def __init__(self) -> None:
        self._parser = Parser({})
        self._figures = FigureReader(load_vocabulary())
        self._moved: tuple[float, ...] = ()
        self._moved_at = 0.0
        self._work = self._generated = 0.0
        self._health = Reply(error="not asked")

    def seen(self, at: float, metrics: Reply, health: Reply) -> None:
        """One round of answers."""
        self._health = health
        page = self._parser.parse(metrics.body) if metrics.ok else None
        figures = self._figures.read(page.series, page.values) if page else None
        if figures is None:
            return
        if figures.moved != self._moved or not figures.work or figures.asleep:
            self._moved, self._moved_at = figures.moved, at
        self._work, self._generated = figures.work, figures.generated

    def suspicious(self, now: float) -> bool:
        """Work is present and nothing moves; before the first token of a run kernels may compile."""
        moving = now - self._moved_at < Limits().suspicious
        return self._health.ok and self._work > 0 and self._generated > 0 and not moving

    def state(self, *, process: bool) -> EngineState | None:
        """By its last answer; None where it says nothing. `process`: its process is seen."""
        if self._health.status == 503:
            return EngineState.DEAD
        if self._health.error == "refused":
            return EngineState.STARTING if process else EngineState.DOWN
        if self._health.error == "timeout":
            return EngineState.UNRESPONSIVE
        return EngineState.SERVING if self._health.ok else None


async def look(
    subject: Subject,
    stage: Path,
    data_dir: Path,
    config: Config,
    *,
    seconds: float,
    stop: asyncio.Event,
    told: Callable[[float], None] = lambda done: None,
) -> Manifest:
    """Record into an empty folder, after what a watch has kept of the same server; and say what state it is in."""
    probe = HttpProbe(keys_of(config, ChildSupervisor(DataFolder(data_dir).engines)))
    out, looks = RecordingFolder(stage, subject.mask()), Looks()
    try:
        if subject.known is not None:
            await asyncio.to_thread(_write_history, out, data_dir, subject.known.target.name)
        recorder = Recorder(subject, out, probe, LinuxProcesses(), looks.seen)
        await recorder.run(seconds, 1.0, stop, told)
        await _write_state(subject, out, data_dir, looks, probe)
        return await asyncio.to_thread(recorder.finish)
    finally:
        await probe.close()


def _write_history(out: RecordingFolder, data_dir: Path, target: str) -> None:
    now_ms = time.time_ns() // 1_000_000
    for at, lines in stored_scrapes(DataFolder(data_dir).samples, target, now_ms - KEPT_NS // 1_000_000, now_ms):
        out.samples(at, lines)


async def _write_state(subject: Subject, out: RecordingFolder, data_dir: Path, looks: Looks, probe: Probe) -> None:
    """What the running watch knows of it, else what we saw ourselves; a canary where work is present and stands."""
    if subject.known is not None:
        view = await asyncio.to_thread(read_view, data_dir)
        known = view.targets.get(subject.target.name)
        if view.daemon_pid is not None and known is not None and known.state is not EngineState.UNKNOWN:
            write_watched(out, known.state, known.exits, _left_over(subject))
            return
    state = looks.state(process=subject.process is not None)
    if looks.suspicious(time.time()):
        canary = await probe.canary(replace(subject.target), CANARY_S)
        if canary.result in ("timeout", "error"):
            state = EngineState.SILENT
    left_over = _left_over(subject)
    if state is None and left_over:
        state = EngineState.DOWN  # whatever it was that answered: the API server is gone
    if state is not None:
        exits = subject.known.exits if subject.known is not None and subject.process is None else ()
        write_watched(out, state, exits, left_over)


def _left_over(subject: Subject) -> list[EngineProcess]:
    """Processes of the engine that outlived its API server."""
    gone = subject.known.process if subject.known is not None and subject.process is None else None
    return [] if gone is None else [one for one in LinuxProcesses().orphans_of(gone.pid) if one.role in _CORE]


@contextmanager
def looked_at(subject: Subject, baseline: Path | None, record: Callable[[Path], Manifest]) -> Iterator[Recorded]:
    """The scene of a server that `record` records now."""
    with tempfile.TemporaryDirectory(prefix="paramedic-") as made:  # mode 0700
        manifest = record(Path(made))
        log = manifest.facts.get("log") or {}
        place = (str(log["path"]), int(log["first_line"])) if log else None
        yield scene_of_folder(
            Path(made), subject.target.name, baseline, manifest.could_not, place, manifest.until - manifest.since
        )
