"""What was stored of an incident: its bundle where one was saved, else what samples, journal and log still tell."""

import difflib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from paramedic.app.bundle_scene import Recorded, recorded, scene_of_folder
from paramedic.app.folder import DataFolder
from paramedic.app.reading import read_entries
from paramedic.app.recorder import write_facts
from paramedic.app.recorder_folder import RecordingFolder
from paramedic.app.recorder_stored import KEPT_NS, entries_about, write_stored, write_watched
from paramedic.app.recorder_target import Subject
from paramedic.diagnosis.masking import Mask
from paramedic.journal.codec import Entry
from paramedic.journal.fold import fold
from paramedic.journal.views import IncidentView, View
from paramedic.model.errors import CouldNotTell, UsageError

AFTER_NS = 120_000_000_000  # of an incident that goes on


def bundle_of(data_dir: Path, incident: str) -> Path:
    """Where the bundle of an incident lies, if one was saved."""
    return DataFolder(data_dir).incidents / f"{incident}.tar.gz"


@contextmanager
def stored_incident(word: str, data_dir: Path, baseline: Path | None = None) -> Iterator[Recorded]:
    """The scene of an incident as it was then. Raises UsageError for one that never was, CouldNotTell without any."""
    entries = list(read_entries(data_dir))
    view = fold(iter(entries))
    incident = _incident(word, view)
    bundle = bundle_of(data_dir, incident.id)
    if bundle.exists():
        with recorded(bundle, baseline) as opened:
            yield opened
        return
    with tempfile.TemporaryDirectory(prefix="paramedic-") as made:  # mode 0700
        out = RecordingFolder(Path(made), Mask())
        write_as_it_was(out, data_dir, incident, entries, view)
        log = out.facts.get("log") or {}
        place = (str(log["path"]), int(log["first_line"])) if log else None
        yield scene_of_folder(Path(made), incident.id, baseline, tuple(sorted(out.could_not.items())), place)


def _incident(word: str, view: View) -> IncidentView:
    known = {name.lower(): incident for name, incident in view.incidents.items()}
    if (found := known.get(word.strip().lower())) is not None:
        return found
    near = difflib.get_close_matches(word.upper(), view.incidents, n=1)
    hint = f": did you mean {near[0]}?" if near else ""
    raise UsageError(f"there is no incident {word!r}{hint} (`paramedic incidents` lists them)")


def write_as_it_was(
    out: RecordingFolder, data_dir: Path, incident: IncidentView, entries: list[Entry], view: View
) -> None:
    """The half hour before an incident and what followed, of a data folder; the server in the state it had then."""
    last = incident.diagnosis_seq or incident.opened_seq
    then = fold(entry for entry in entries if entry.seq <= last)
    known = then.targets.get(incident.target)
    if known is None:
        raise CouldNotTell(f"the journal tells of {incident.id}, but not of its server {incident.target}")
    since = incident.opened_at - KEPT_NS
    until = incident.resolved_at or max(incident.diagnosed_at, incident.opened_at) + AFTER_NS
    mine = entries_about(entries, view, incident.target, since, until)
    write_stored(out, DataFolder(data_dir).samples, known, mine, since, until)
    write_watched(out, known.state, known.exits)
    write_facts(out, Subject(known.target, None, tuple(known.process.title.split()) if known.process else ()))
    out.close()
