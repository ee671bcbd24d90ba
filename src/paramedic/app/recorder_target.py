"""Which server is meant: the one at an address, one that a watch knows by its name, or the only one of this machine."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from paramedic.adapters.processes.linux import LinuxProcesses
from paramedic.adapters.recorder.started_with import arguments_of_process, environment_of_process, is_still
from paramedic.app.config import parse_engine_url
from paramedic.app.folder import DataFolder
from paramedic.app.reading import read_view
from paramedic.diagnosis.masking import Mask, known_secrets
from paramedic.journal.views import TargetView, View
from paramedic.model.errors import CouldNotTell, UsageError
from paramedic.model.target import EngineProcess, Target
from paramedic.pipeline.reach import served_model
from paramedic.ports import Candidate
from paramedic.recovery.by_hand import target_of


@dataclass(frozen=True, slots=True)
class Subject:
    """A server that is looked at. `process` is None where it is another machine's, or is not seen."""

    target: Target
    process: EngineProcess | None = None
    argv: tuple[str, ...] = ()
    environment: dict[str, str] | None = None  # None: it may not be read
    log: str = ""
    known: TargetView | None = None  # what the journal says of it, where it is watched

    def mask(self) -> Mask:
        """Takes out what this very process was started with."""
        return Mask(known_secrets(self.argv, self.environment or {}))


def find_subject(word: str, folder: Path, processes: LinuxProcesses, log: str = "") -> Subject:
    """The server that a person means. `word`: an address, the name of a watched server, or "" for the only one.

    Raises UsageError or CouldNotTell with those that there are.
    """
    view = read_view(folder) if DataFolder(folder).journal.exists() else View()
    candidates = processes.find()
    if "://" in word:
        subject = _at(_url(word), view, candidates)
    elif word:
        subject = _named(word, view, candidates)
    else:
        subject = _only_one(view, candidates)
    return replace(subject, log=log or subject.log)


def subject_of(known: TargetView, candidates: Sequence[Candidate] = ()) -> Subject:
    """A watched server, with what the system still says of its process."""
    candidate = next((one for one in candidates if _is_process(one, known.process)), None)
    process = known.process
    if candidate is None and process is not None and not is_still(process.pid, process.started):
        process = None
    return _subject(known.target, process, known.log or known.target.log, known)


def _subject(target: Target, process: EngineProcess | None, log: str, known: TargetView | None) -> Subject:
    argv = arguments_of_process(process.pid) if process else ()
    environment = environment_of_process(process.pid) if process else None
    return Subject(target, process, argv, environment, log, known)


def _url(word: str) -> str:
    try:
        return parse_engine_url(word)
    except ValueError as error:
        raise UsageError(f"TARGET {error}") from None


def _at(url: str, view: View, candidates: Sequence[Candidate]) -> Subject:
    known = next((t for t in view.targets.values() if not t.removed and _plain(t.target.url) == _plain(url)), None)
    if known is not None:
        return subject_of(known, candidates)
    found = next((one for one in candidates if _plain(url) in map(_plain, one.urls)), None)
    target = Target(urlsplit(url).netloc, url, model=served_model(found.argv) if found else "")
    return _subject(target, found.process if found else None, found.log if found else "", None)


def _named(word: str, view: View, candidates: Sequence[Candidate]) -> Subject:
    if not view.targets:
        raise UsageError(
            f"there is no server {word!r}: nothing has been watched here yet. Give its address, such as "
            "http://127.0.0.1:8000"
        )
    return subject_of(target_of(view, word), candidates)


def _only_one(view: View, candidates: Sequence[Candidate]) -> Subject:
    watched = [t for t in view.targets.values() if not t.removed] if view.daemon_pid is not None else []
    new = [one for one in candidates if one.urls and not any(_is_process(one, t.process) for t in watched)]
    names = [*(t.target.name for t in watched), *(one.urls[0] for one in new)]
    if not names:
        raise CouldNotTell("no server was found on this machine. Give its address: http://HOST:PORT")
    if len(names) > 1:
        raise UsageError(f"there are several servers: say which one: {', '.join(names)}")
    return subject_of(watched[0], candidates) if watched else _at(new[0].urls[0], view, candidates)


def _is_process(candidate: Candidate, process: EngineProcess | None) -> bool:
    mine = candidate.process
    return process is not None and mine.pid == process.pid and abs(mine.started - process.started) < 2.0


def _plain(url: str) -> str:
    return url.replace("://localhost:", "://127.0.0.1:").replace("://0.0.0.0:", "://127.0.0.1:")
