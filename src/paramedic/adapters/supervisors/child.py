"""Engines that are children of ours: started alike each time, ended whole, taken over after our own restart."""

import asyncio
import json
import logging
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from paramedic.adapters.processes.stat import START_TOLERANCE_S, read_stat
from paramedic.adapters.supervisors.evidence import describe
from paramedic.adapters.supervisors.gpu import gpu_processes
from paramedic.adapters.supervisors.group import end_group, members
from paramedic.adapters.supervisors.launch import LOG_LIMIT, forget_old_runs, launch, rotate_log, run_log, runs_in
from paramedic.adapters.supervisors.port import what_holds_port
from paramedic.adapters.supervisors.search import newest_run
from paramedic.adapters.supervisors.shared_memory import remove_leftovers, segments_of
from paramedic.adapters.supervisors.spec import (
    Spec,
    folder_name,
    load_spec,
    make_private,
    save_spec,
    spec_of_now,
    write_private,
)
from paramedic.model.errors import ParamedicError
from paramedic.model.target import EngineProcess, Role, Target
from paramedic.ports import StopReport

log = logging.getLogger(__name__)

GPU_RELEASE_S = 20.0


class ChildSupervisor:
    """Owns the engines that it started or took over. Keeps all it must remember below `folder`, a folder a target:

    `spec.json` how it is started (0600: it holds secrets), `last.json` its last process, `logs/run-0001.log`,
    `evidence/run-0001-stacks-TIME.txt`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._children: dict[int, subprocess.Popen[bytes]] = {}
        self._exits: dict[int, int] = {}
        self._last: dict[str, EngineProcess] = {}
        self._gpu_held: dict[str, tuple[int, ...]] = {}  # absent: nobody could say
        self._gpu_waits: dict[str, asyncio.Task[None]] = {}

    def register(self, target: Target, argv: Sequence[str], env: Mapping[str, str], cwd: str) -> None:
        """Remember how this target is started, with the user and the limits of now."""
        save_spec(make_private(self.folder_of(target)), spec_of_now(argv, env, cwd))

    def spec(self, target: Target) -> Spec:
        """How it is started. Raises ParamedicError where that is not known."""
        return load_spec(self.folder_of(target), target.name)

    def folder_of(self, target: Target) -> Path:
        return self._folder / folder_name(target.name)

    async def start(self, target: Target, run: int) -> tuple[EngineProcess, str]:
        """Start the engine as it was first started; returns its process and the path of its log.

        Raises ParamedicError when its command, its folder or its user is not there any more.
        """
        spec = self.spec(target)
        logs = self.folder_of(target) / "logs"
        log_file = run_log(logs, run)
        child = await asyncio.to_thread(launch, spec, log_file)
        self._children[child.pid] = child
        self._exits.pop(child.pid, None)
        stat = read_stat(child.pid)
        if stat is None:  # cannot be: it stays a zombie until we ask for its exit code
            raise ParamedicError(f"{spec.argv[0]} vanished as it was started; start it by hand to see why")
        server = EngineProcess(child.pid, stat.started, Role.API_SERVER, stat.name, stat.state)
        self._remember(target, server)
        await asyncio.to_thread(forget_old_runs, logs)
        return server, str(log_file)

    def exit_of(self, pid: int) -> int | None:
        """The exit code of a child of ours that has ended (negative: the signal's number); None otherwise."""
        child = self._children.get(pid)
        if child is not None:
            code = child.poll()
            if code is None:
                return None
            self._exits[pid] = code
            del self._children[pid]
        return self._exits.get(pid)

    def living_run(self, target: Target) -> tuple[EngineProcess, int, str] | None:
        """Of the newest run of which anything lives, also of an earlier Paramedic that had no time to write it down:
        the first process (it may be dead while others of its run live), the run's number, its log.
        """
        found = newest_run(self.folder_of(target) / "logs")
        if found is None:
            return None
        last = self.last(target)
        if last is not None and last.pid == found.leader:
            return last, found.run, str(found.log)
        server = EngineProcess(found.leader, found.started, Role.API_SERVER)
        self._remember(target, server)
        return server, found.run, str(found.log)

    def last(self, target: Target) -> EngineProcess | None:
        """The API server of the last run, alive or not, also of an earlier Paramedic."""
        if target.name not in self._last:
            try:
                kept = json.loads((self.folder_of(target) / "last.json").read_text())
                self._last[target.name] = EngineProcess(int(kept["pid"]), float(kept["started"]), Role.API_SERVER)
            except (OSError, ValueError, KeyError, TypeError):
                return None
        return self._last[target.name]

    async def stop(self, target: Target, server: EngineProcess, grace_s: float) -> StopReport:
        """SIGTERM to the group, SIGKILL after `grace_s` (0: at once), until the whole group and its orphans are gone.

        Raises ParamedicError for an engine that is not ours: its group may hold others.
        """
        leader = self._leader_of(target, server)
        run = {stat.pid for stat in members(leader)}
        segments = await asyncio.to_thread(segments_of, run)
        ending = await end_group(leader, grace_s, lambda: self._reap(leader.pid))
        self._reap(leader.pid)  # it may have ended between the last look at it and the last look at its group
        steps = list(ending.steps)
        removed, freed = await asyncio.to_thread(remove_leftovers, segments)
        if removed:
            steps.append(f"removed {len(removed)} leftovers in /dev/shm ({freed / 2**20:.0f} MiB)")
        steps += await self._wait_for_gpu(target, run)
        return StopReport(tuple(steps), tuple(stat.pid for stat in ending.left))

    async def save_stacks(self, target: Target, processes: Sequence[EngineProcess], run: int) -> str:
        """Stacks, connections and GPU processes into a 0600 file; its path, or "" when it could not be written."""
        now = datetime.now(UTC)
        text = f"{target.name}, run {run}, {now.isoformat(timespec='seconds')}\n\n{await describe(processes)}"
        folder = self.folder_of(target) / "evidence"
        file = folder / f"run-{run:04d}-stacks-{now:%Y%m%dT%H%M%S.%fZ}.txt"
        try:
            await asyncio.to_thread(lambda: write_private(make_private(folder) / file.name, text))
        except OSError:
            return ""
        return str(file)

    def free_to_start(self, target: Target) -> str:
        """ "" when the port is free and nothing of the last run lives or holds a GPU; else what is in the way."""
        last = self.last(target)
        left = members(last) if last is not None else []
        if left:
            return "of the last run still live: " + ", ".join(f"pid {stat.pid} ({stat.name})" for stat in left)
        held = self._gpu_held.get(target.name)
        if held:
            return f"GPU memory of the last run is still held by {_pids(held)}"
        return what_holds_port(target.url)

    async def rotate(self, target: Target, limit: int = LOG_LIMIT) -> bool:
        """Empty the current run's log when it is over `limit` bytes; so much of its end is kept once, as NAME.1."""
        found = [file for _, file in sorted(runs_in(self.folder_of(target) / "logs")) if file.suffix == ".log"]
        return bool(found) and await asyncio.to_thread(rotate_log, found[-1], limit)

    def _remember(self, target: Target, server: EngineProcess) -> None:
        self._last[target.name] = server
        self._gpu_held.pop(target.name, None)
        waiting = self._gpu_waits.pop(target.name, None)
        if waiting is not None:
            waiting.cancel()
        kept = json.dumps({"pid": server.pid, "started": server.started})
        try:
            write_private(make_private(self.folder_of(target)) / "last.json", kept)
        except OSError as problem:  # the disk is full: the run is found by its log all the same
            log.warning("the process of %s could not be written down: %s", target.name, problem.strerror)

    def _leader_of(self, target: Target, server: EngineProcess) -> EngineProcess:
        """The process that we started: the API server itself, or the script or wrapper that runs it."""
        last = self.last(target)
        stat = read_stat(server.pid)
        if last is not None and (_same(last, server) or (stat is not None and stat.session == last.pid)):
            return last
        raise ParamedicError(
            f"{target.name} (pid {server.pid}) was not started by Paramedic; end it where it was started"
        )

    def _reap(self, pid: int) -> None:
        self.exit_of(pid)

    async def _wait_for_gpu(self, target: Target, run: set[int]) -> list[str]:
        """The driver gives memory back a moment after the process has gone; where it takes long, go on looking."""
        task = asyncio.create_task(self._until_gpu_is_free(target, run))
        self._gpu_waits[target.name] = task
        await asyncio.wait({task}, timeout=GPU_RELEASE_S)
        held = self._gpu_held.get(target.name)
        if held is None:
            return []
        return [f"GPU memory is still held by {_pids(held)}" if held else "no process of this run holds GPU memory"]

    async def _until_gpu_is_free(self, target: Target, run: set[int]) -> None:
        while (found := await gpu_processes()) is not None:
            self._gpu_held[target.name] = tuple(pid for pid, _ in found if pid in run)
            if not self._gpu_held[target.name]:
                return
            await asyncio.sleep(0.5)
        self._gpu_held.pop(target.name, None)


def _same(one: EngineProcess, other: EngineProcess) -> bool:
    return one.pid == other.pid and abs(one.started - other.started) < START_TOLERANCE_S


def _pids(processes: Sequence[int]) -> str:
    return ", ".join(f"pid {pid}" for pid in processes)
