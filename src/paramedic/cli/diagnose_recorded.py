"""What `paramedic diagnose` looks at beside logs: recordings, incidents of before, and servers that run now."""

import asyncio
import re
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from paramedic.cli.record import bar
from paramedic.model.errors import UsageError
from paramedic.model.finding import Diagnosis
from paramedic.model.text import Language, Text

if TYPE_CHECKING:
    from paramedic.app.bundle import Manifest
    from paramedic.app.bundle_scene import Recorded
    from paramedic.app.recorder_target import Subject

LONGEST = 3600.0
_LOG = re.compile(r"(?P<name>.+\.(?:log|out|err|txt))(?:[.-](?P<turn>\d{1,8}))?(?:\.(?:gz|zst))?")
_LOOKING = Text("looking at {}", "正在观察 {}")


def recording_among(files: Sequence[Path]) -> Path | None:
    """The one recording that was given; None where all are logs. Raises UsageError for a mixture."""
    from paramedic.app.bundle_scene import is_recorded

    found = [path for path in files if str(path) != "-" and is_recorded(path)]
    if found and len(files) > 1:
        raise UsageError(f"{found[0]} is a recording: it is diagnosed alone, or compared with --baseline {found[0]}")
    return found[0] if found else None


def logs_of(folder: Path) -> tuple[Path, ...]:
    """Every log in a folder, rotated ones before those that followed them. Raises UsageError where there is none."""
    found = [(match, path) for path in folder.iterdir() if path.is_file() and (match := _LOG.fullmatch(path.name))]
    if not found:
        raise UsageError(f"{folder} holds no log and no recording: name the files, or give another folder")
    logs = [each for each in found if not each[0]["name"].endswith(".txt")] or found  # beside logs, texts are notes
    return tuple(path for _, path in sorted(logs, key=lambda each: (each[0]["name"], -int(each[0]["turn"] or 0))))


def diagnose_file(path: Path, baseline: Path | None) -> Diagnosis:
    """A bundle, or the folder of one."""
    from paramedic.app.bundle_scene import recorded

    with recorded(path, baseline) as opened:
        return _judged(opened)


def diagnose_incident(incident: str, data_dir: Path, baseline: Path | None) -> Diagnosis:
    """What was stored of an incident, read again with what is known today."""
    from paramedic.app.recorder_incident import stored_incident

    with stored_incident(incident, data_dir, baseline) as opened:
        return _judged(opened)


def diagnose_target(
    word: str, data_dir: Path, seconds: float, log: str, baseline: Path | None, lang: Language
) -> Diagnosis:
    """A server as it is now: its log, its metrics for a while, its process."""
    from paramedic.app.recorder_live import looked_at
    from paramedic.app.recorder_run import find

    if not 1.0 <= seconds <= LONGEST:
        raise UsageError("--for must be from 1s to 1h: a rate needs two looks")
    subject = find(word, data_dir, log)

    def record(stage: Path) -> "Manifest":
        with bar(_LOOKING.in_language(lang).format(subject.target.name), seconds) as told:
            return asyncio.run(_look(subject, stage, data_dir, seconds, told))

    with looked_at(subject, baseline, record) as opened:
        return _judged(opened)


def _judged(opened: "Recorded") -> Diagnosis:
    from paramedic.app.knowledge import catalogue_in_use
    from paramedic.diagnosis.diagnose import diagnose

    return opened.judged(diagnose(opened.scene, catalogue_in_use()))


async def _look(
    subject: "Subject", stage: Path, data_dir: Path, seconds: float, told: Callable[[float], None]
) -> "Manifest":
    """Ctrl-C: enough, judge what was seen until now."""
    from paramedic.app.config_file import load
    from paramedic.app.recorder_live import look

    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop.set)
    return await look(subject, stage, data_dir, load().config, seconds=seconds, stop=stop, told=told)
