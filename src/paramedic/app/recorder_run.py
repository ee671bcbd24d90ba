"""A recording on demand, from finding the server to the file that is left."""

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from paramedic.adapters.http_probe import HttpProbe
from paramedic.adapters.processes.linux import LinuxProcesses
from paramedic.adapters.supervisors.child import ChildSupervisor
from paramedic.app.bundle import Manifest, refuse_to_overwrite
from paramedic.app.config import Config
from paramedic.app.folder import DataFolder
from paramedic.app.recorder import Recorder
from paramedic.app.recorder_folder import RecordingFolder
from paramedic.app.recorder_target import Subject, find_subject
from paramedic.app.wiring import keys_of

Told = Callable[[float], None]
"""(seconds done)"""


def find(word: str, data_dir: Path, log: str = "") -> Subject:
    """The server that a person means; UsageError or CouldNotTell with those that there are."""
    return find_subject(word, data_dir, LinuxProcesses(), log)


async def record(
    subject: Subject,
    folder: Path,
    data_dir: Path,
    config: Config,
    *,
    seconds: float,
    interval: float,
    stop: asyncio.Event,
    told: Told = lambda done: None,
) -> Manifest:
    """Record into an empty `folder` until the time is over or `stop` is set."""
    probe = HttpProbe(keys_of(config, ChildSupervisor(DataFolder(data_dir).engines)))
    out = RecordingFolder(folder, subject.mask())
    try:
        recorder = Recorder(subject, out, probe, LinuxProcesses())
        await recorder.run(seconds, interval, stop, told)
        return await asyncio.to_thread(recorder.finish)
    finally:
        await probe.close()


@contextmanager
def staging(file: Path, *, force: bool) -> Iterator[Path]:
    """A folder beside the bundle that is to be, so that there is room for both or for none; gone afterwards."""
    refuse_to_overwrite(file, force=force)
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=".paramedic-record-") as made:  # mode 0700
        yield Path(made)
