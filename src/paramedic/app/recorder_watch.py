"""The flight recorder of a watch: what samples and journal do not hold, for half an hour; saved with each incident."""

import asyncio
import tempfile
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from paramedic.adapters.recorder.gpu import Gpus
from paramedic.adapters.recorder.host import Host, facts_of_machine, process_lines
from paramedic.adapters.recorder.kernel_log import kernel_log
from paramedic.adapters.supervisors.child import ChildSupervisor
from paramedic.app.bundle import pack
from paramedic.app.folder import DataFolder
from paramedic.app.recorder import manifest_of, write_facts
from paramedic.app.recorder_folder import RecordingFolder
from paramedic.app.recorder_stored import KEPT_NS, entries_about, write_stored, write_watched
from paramedic.app.recorder_target import Subject, subject_of
from paramedic.journal.codec import Entry
from paramedic.journal.views import IncidentView, TargetView
from paramedic.model.errors import ParamedicError
from paramedic.model.target import EngineProcess, EngineState, Role
from paramedic.model.text import Text, as_written
from paramedic.pipeline.barrier import Barrier
from paramedic.pipeline.world import World

EVERY = 5.0  # seconds
ROWS = int(KEPT_NS / 1e9 / EVERY)
SETTLED_NS = 5_000_000_000  # after the diagnosis: what follows the first error
UNDIAGNOSED_NS = 30_000_000_000
LOOKED_BACK = 5_000  # events
KEPT_BUNDLES, KEPT_BYTES = 50, 500_000_000

HELD_BY_WATCH = Text("its watch began later", "看护在此之后才开始")

Row = dict[str, Any]


@dataclass(slots=True)
class Ring:
    """What went on around the engines in the last half hour: a row a look."""

    host: deque[Row] = field(default_factory=lambda: deque(maxlen=ROWS))
    gpu: deque[list[Row]] = field(default_factory=lambda: deque(maxlen=ROWS))
    pids: dict[str, set[int]] = field(default_factory=dict)  # of each server, all that were seen


@dataclass(slots=True)
class _Due:
    """An incident whose bundle is still to be saved, and its server as it was known then."""

    incident: IncidentView
    known: TargetView


class FlightRecorder:
    """One task of a daemon; saving happens beside the tick, and a failure is told in the journal."""

    def __init__(self, folder: DataFolder, world: World, supervisor: ChildSupervisor) -> None:
        self._folder = folder
        self._world = world
        self._supervisor = supervisor
        self._barrier = Barrier(world.recorder, world.clock)
        self._ring = Ring()
        self._host, self._gpus = Host(), Gpus()
        self._due: dict[str, _Due] = {}
        self._tried: set[str] = set()  # a bundle that has had to go is not made anew
        self._begun_seq = world.view.last_seq
        self._looked_at = world.clock.monotonic() - EVERY

    async def run(self) -> None:
        """Until cancelled."""
        seen = self._begun_seq
        while True:
            async with self._barrier.around_task("record"):
                self._note_incidents()
                now = self._world.clock.monotonic()
                if now - self._looked_at >= EVERY:
                    self._looked_at = now
                    await self._look()
            for due in self._ripe():
                async with self._barrier.around_task(f"save the recording of {due.incident.id}"):
                    await self.save(due.incident, due.known)
            await self._world.recorder.wait_for_entries(seen, EVERY)
            seen = self._world.view.last_seq

    async def _look(self) -> None:
        """At the machine, once for all servers."""
        names = [name for name, target in self._world.view.targets.items() if not target.removed and target.process]
        for name in names:
            process = self._world.view.targets[name].process
            tree = self._world.processes.tree(process) if process else None
            self._ring.pids.setdefault(name, set()).update(one.pid for one in tree or ())
        for gone in self._ring.pids.keys() - set(names):
            del self._ring.pids[gone]
        if not names:
            return
        engine = {pid for pids in self._ring.pids.values() for pid in pids}
        at = self._world.clock.now() / 1e9
        host, gpu = await asyncio.to_thread(lambda: (self._host.look(at, engine), self._gpus.look(at)))
        self._ring.host.append(host)
        self._ring.gpu.append(gpu)

    # Incidents

    def _note_incidents(self) -> None:
        """New ones are due; until they are saved, the newest of the same run counts, but not that it serves again."""
        view = self._world.view
        for name, incident in view.incidents.items():
            known = view.targets.get(incident.target)
            if incident.opened_seq <= self._begun_seq or known is None:
                continue
            due = self._due.get(name)
            if due is None and name not in self._tried:
                self._due[name] = _Due(incident, known)
            elif due is not None:
                due.incident = incident
                if known.run == due.known.run and known.state is not EngineState.SERVING:
                    due.known = known

    def _ripe(self) -> list[_Due]:
        now = self._world.clock.now()
        ripe = [due for due in self._due.values() if _is_ripe(due.incident, now)]
        for due in ripe:
            del self._due[due.incident.id]
            self._tried.add(due.incident.id)
        return ripe

    async def save(self, incident: IncidentView, known: TargetView) -> Path:
        """The bundle of an incident, in the data folder; old ones go."""
        entries = self._world.recorder.entries(max(0, incident.opened_seq - LOOKED_BACK))
        until = self._world.clock.now()
        mine = entries_about(entries, self._world.view, known.target.name, incident.opened_at - KEPT_NS, until)
        tree = self._world.processes.tree(known.process) if known.process else None
        gone = any(one.role is Role.API_SERVER for one in known.exits)
        orphans = [one for one in tree or () if one.role in (Role.ENGINE_CORE, Role.WORKER)] if gone else []
        return await asyncio.to_thread(self._save, incident, known, mine, until, orphans)

    def _save(
        self,
        incident: IncidentView,
        known: TargetView,
        entries: Sequence[Entry],
        until: int,
        orphans: Sequence[EngineProcess],
    ) -> Path:
        self._folder.incidents.mkdir(mode=0o700, exist_ok=True)
        file, since = self._bundle(incident.id), incident.opened_at - KEPT_NS
        subject = self._subject(known)
        with tempfile.TemporaryDirectory(dir=self._folder.incidents, prefix=".") as made:
            out = RecordingFolder(Path(made), subject.mask())
            out.facts["incident"] = incident.id
            write_stored(out, self._folder.samples, known, entries, since, until)
            self._write_around(out, known, since / 1e9)
            write_watched(out, known.state, known.exits, orphans)
            write_facts(out, subject, self._gpus.names)
            out.close()
            pack(Path(made), file, manifest_of(subject, out, since / 1e9, until / 1e9, ""), force=True)
        forget_old(self._folder.incidents)
        return file

    def _write_around(self, out: RecordingFolder, known: TargetView, since: float) -> None:
        pids = self._ring.pids.get(known.target.name, set())
        for row in list(self._ring.host):
            if row["t"] >= since:
                out.host(only_engine(row, pids))
        for rows in list(self._ring.gpu):
            out.gpu(row for row in rows if row["t"] >= since)
        out.lines("processes.txt", process_lines(sorted(pids)))
        out.facts["machine"] = facts_of_machine() | {"gpus": self._gpus.names, "driver": self._gpus.driver}
        said = kernel_log(known.process.started if known.process else since)
        out.lines("kernel.log", said.lines)
        if said.why_not:
            out.could_not["kernel-log"] = as_written(said.why_not)
        if self._gpus.why_not:
            out.could_not["gpu"] = self._gpus.why_not
        if not self._ring.host:
            out.could_not["host"] = HELD_BY_WATCH

    def _subject(self, known: TargetView) -> Subject:
        """With the arguments of the living process, else those with which we started it."""
        subject = subject_of(known)
        if subject.argv or not known.started_by_us:
            return subject
        try:
            spec = self._supervisor.spec(known.target)
        except ParamedicError:
            return subject
        return Subject(known.target, None, spec.argv, dict(spec.env), subject.log, known)

    def _bundle(self, incident: str) -> Path:
        return self._folder.incidents / f"{incident}.tar.gz"


def _is_ripe(incident: IncidentView, now: int) -> bool:
    """Diagnosed, and the dust has settled; or nobody comes to diagnose it."""
    if incident.diagnosed_at:
        return now - incident.diagnosed_at >= SETTLED_NS
    return now - incident.opened_at >= UNDIAGNOSED_NS


def only_engine(row: Row, pids: Collection[int]) -> Row:
    """A row of the machine as one server's: the processes of another one are neighbours."""
    mine = [one for one in row["engine"] if one["pid"] in pids]
    theirs = [
        {"pid": one["pid"], "name": one["name"], "pct": one["pct"]}
        for one in row["engine"]
        if one["pid"] not in pids and one.get("pct")
    ]
    others = sorted([*theirs, *row["others"]], key=lambda one: -int(one["pct"]))
    return row | {"engine": mine, "others": others}


def forget_old(folder: Path, bundles: int = KEPT_BUNDLES, size: int = KEPT_BYTES) -> None:
    """Keep the newest: at most so many, and so many bytes; the very newest always stays."""
    files = sorted(folder.glob("*.tar.gz"), key=lambda file: -file.stat().st_mtime)
    total = 0
    for place, file in enumerate(files):
        total += file.stat().st_size
        if place and (place >= bundles or total > size):
            file.unlink(missing_ok=True)
