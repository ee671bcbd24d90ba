"""Recording one server for a while: what it says, what it answers, and what goes on around it."""

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from paramedic import __version__
from paramedic.adapters.logs.elsewhere import Logs
from paramedic.adapters.processes.linux import LinuxProcesses
from paramedic.adapters.processes.recognise import serve_arguments
from paramedic.adapters.recorder.gpu import Gpus
from paramedic.adapters.recorder.host import Host, facts_of_machine, process_lines
from paramedic.adapters.recorder.kernel_log import kernel_log
from paramedic.app.bundle import Manifest
from paramedic.app.recorder_folder import LOG_BYTES, RecordingFolder
from paramedic.app.recorder_stored import NO_LOG
from paramedic.app.recorder_target import Subject
from paramedic.diagnosis.masking import masked_arguments, masked_environment
from paramedic.model.text import Text, as_written
from paramedic.ports import LogSource, Probe, Reply

NO_PROCESS = Text("its process is not on this machine, or is not seen by this user", "其进程不在本机，或当前用户看不到")
NO_WAY = Text("nothing leads to it from here", "从这里无法访问它")
NOT_READ = Text(
    "it is another user's process: record as that user, or as root", "进程属于其他用户：请以该用户或 root 录制"
)
_VERSION = re.compile(r"\bversion\s+v?(\d+\.\d+[\w.+-]*)")


Seen = Callable[[float, Reply, Reply], None]
"""Hears each round: its time (epoch seconds), the answers of /metrics and /health."""


@dataclass(slots=True)
class LineTimes:
    """When each new line of a log was first seen, by its number in the file."""

    source: LogSource
    seen: dict[int, float] = field(default_factory=dict)
    _begun: bool = False

    def look(self, at: float) -> None:
        """Lines that were there before the first look have no time."""
        chunk = self.source.new_lines()
        if chunk.lines and chunk.first_line in self.seen:
            self.seen.clear()  # the file was emptied: its lines are counted anew
        if self._begun:
            self.seen.update(dict.fromkeys(range(chunk.first_line, chunk.first_line + len(chunk.lines)), at))
        self._begun = True


class Recorder:
    """One recording into a folder. `look` once a round, `finish` at the end."""

    def __init__(
        self,
        subject: Subject,
        out: RecordingFolder,
        probe: Probe,
        processes: LinuxProcesses,
        seen: Seen = lambda at, metrics, health: None,
    ) -> None:
        self.since = self.until = time.time()
        self._subject = subject
        self._out = out
        self._probe = probe
        self._processes = processes
        self._seen = seen
        self._gpus = Gpus()
        self._host = Host()
        self._version = ""
        self._rounds = self._answered = 0
        self._log = LineTimes(Logs().open(subject.log)) if subject.log else None

    async def run(
        self, seconds: float, interval: float, stop: asyncio.Event, told: Callable[[float], None] = lambda done: None
    ) -> None:
        """Look every `interval` seconds for `seconds`, at least twice, or until `stop`; `told` hears seconds done."""
        identity = await self._probe.identify(self._subject.target.url) if self._subject.target.url else None
        self._version = identity[0] if identity else ""
        self._out.facts["served_model"] = identity[1] if identity else self._subject.target.model
        began = time.monotonic()  # a hung server is slow to say who it is
        while not stop.is_set():
            await self.look()
            done = time.monotonic() - began
            told(min(done, seconds))
            if done >= seconds and self._rounds > 1:
                return
            pause = max(0.05, min(self._rounds * interval, seconds) - done)
            with_stop = asyncio.create_task(stop.wait())
            await asyncio.wait({with_stop}, timeout=pause)
            with_stop.cancel()

    async def look(self) -> None:
        """One round: its figures, its health, GPU, host, and the lines that came."""
        at = time.time()
        self._rounds += 1
        around = asyncio.to_thread(self._look_around, at)
        if self._subject.target.url:
            metrics, health, _ = await asyncio.gather(
                self._probe.metrics(self._subject.target), self._probe.health(self._subject.target), around
            )
            self._keep(at, metrics, health)
        else:
            await around
        self.until = time.time()

    def _keep(self, at: float, metrics: Reply, health: Reply) -> None:
        self._answered += metrics.ok
        self._out.scrape(at, metrics)
        self._out.health(at, health)
        self._seen(at, metrics, health)

    def _look_around(self, at: float) -> None:
        if self._log is not None:
            self._log.look(at)
        if self._subject.process is not None:
            tree = self._processes.tree(self._subject.process)
            self._out.host(self._host.look(at, [one.pid for one in tree or ()]))
            self._out.gpu(self._gpus.look(at))

    def finish(self) -> Manifest:
        """Everything that is asked once, and what could not be seen. Blocks for seconds at most."""
        subject, out = self._subject, self._out
        if self._log is not None:
            chunk = self._log.source.tail(LOG_BYTES)
            self._version = self._version or version_in(chunk.lines[:400])
            out.log(chunk, self._log.seen)
            if not chunk.lines:
                out.could_not["log"] = Text(
                    f"{subject.log} cannot be read, or is empty", f"{subject.log} 无法读取或为空"
                )
        else:
            out.could_not["log"] = NO_LOG
        if not subject.target.url:
            out.could_not["metrics"] = NO_WAY
        elif not self._answered:
            n = self._rounds
            out.could_not["metrics"] = Text(
                f"/metrics was never answered, of {n} times", f"请求 /metrics {n} 次，没有一次得到回答"
            )
        if subject.process is None:
            for what in ("arguments", "environment", "processes", "host", "gpu", "kernel-log"):
                out.could_not[what] = NO_PROCESS
        else:
            self._of_this_machine(subject.process.pid, subject.process.started)
        write_facts(out, subject, self._gpus.names)
        out.close()
        return manifest_of(subject, out, self.since, self.until, self._version)

    def _of_this_machine(self, server: int, started: float) -> None:
        out = self._out
        tree = self._processes.tree(self._subject.process) if self._subject.process else None
        out.lines("processes.txt", process_lines([one.pid for one in tree or ()] or [server]))
        out.facts["machine"] = facts_of_machine() | {"gpus": self._gpus.names, "driver": self._gpus.driver}
        out.facts["started"] = round(started, 3)
        if self._gpus.why_not:
            out.could_not["gpu"] = self._gpus.why_not
        said = kernel_log(started)
        out.lines("kernel.log", said.lines)
        if said.why_not:
            out.could_not["kernel-log"] = as_written(said.why_not)
        if not self._subject.argv:
            out.could_not["arguments"] = NO_PROCESS
        if self._subject.environment is None:
            out.could_not["environment"] = NOT_READ


def write_facts(out: RecordingFolder, subject: Subject, gpus: Sequence[str] = ()) -> None:
    """The effective arguments and environment: of the process itself, without secrets."""
    served = serve_arguments(subject.argv)
    words = masked_arguments(subject.argv[1:] if served is None else served)
    model, flags = (words[0], words[1:]) if words and not words[0].startswith("-") else (subject.target.model, words)
    facts: dict[str, Any] = {
        "model": out.mask.line(model),
        "args": flags,
        "env": masked_environment(subject.environment or {}),
    }
    if gpus:
        facts["gpus"] = list(gpus)
    out.document("facts.json", facts)


def manifest_of(subject: Subject, out: RecordingFolder, since: float, until: float, version: str) -> Manifest:
    """What the recording says of itself, but for its parts."""
    engine = {"family": subject.target.engine, "version": version or None, "url": out.mask.line(subject.target.url)}
    facts = {"engine": engine, **out.facts}
    return Manifest(
        paramedic=__version__,
        made_at=time.time_ns(),
        since=round(since, 3),
        until=round(until, 3),
        target=subject.target.name,
        facts=facts,
        could_not=tuple(sorted(out.could_not.items())),
    )


def version_in(lines: Sequence[str]) -> str:
    """The engine's version by the first line of its log that tells one."""
    return next((found[1] for line in lines if (found := _VERSION.search(line))), "")
