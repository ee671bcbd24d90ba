"""An incident as a story: the events that led to it, those that belong to it, and what came of them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from paramedic.journal import events as e
from paramedic.journal.codec import Entry
from paramedic.model.target import EngineState

_OF_AN_ENGINE = (e.EngineSeen, e.StageReached, e.ProcessEnded, e.StateChanged, e.TargetHeld, e.TargetResumed)
_WELL = frozenset({EngineState.SERVING, EngineState.SLEEPING, EngineState.STOPPED})


@dataclass(slots=True)
class _Owners:
    """Which incident each entry belongs to. An alert or action that has none is its own owner."""

    of_entry: dict[int, str] = field(default_factory=dict)
    of_name: dict[str, str] = field(default_factory=dict)  # incident, alert (its latest firing), action, delivery
    targets: dict[str, str] = field(default_factory=dict)  # incident -> its target
    fired: dict[str, int] = field(default_factory=dict)  # alert -> the number of its latest AlertFired

    def note(self, entry: Entry) -> None:
        event = entry.event
        match event:
            case e.AlertFired():
                self.fired[event.alert.id] = entry.seq
                self._own(entry.seq, event.alert.id, event.alert.id)
            case e.AlertResolved():
                self._own(entry.seq, event.alert, self.of_name.get(event.alert, event.alert))
            case e.IncidentOpened() | e.AlertJoinedIncident():
                self._own(entry.seq, event.incident, event.incident)
                self._own(self.fired.get(event.alert, entry.seq), event.alert, event.incident)
                if isinstance(event, e.IncidentOpened):
                    self.targets[event.incident] = event.target
            case e.ActionRequested():
                self._own(entry.seq, event.action, event.incident or event.action)
            case e.DeliveryRequested():
                self._own(entry.seq, event.delivery, event.incident)
            case _:
                for kind in ("incident", "action", "delivery"):
                    if name := getattr(event, kind, ""):
                        self._own(entry.seq, name, self.of_name.get(name, name))

    def _own(self, seq: int, name: str, owner: str) -> None:
        self.of_entry[seq] = owner
        self.of_name[name] = owner


def story(entries: Iterable[Entry], name: str) -> list[Entry]:
    """The events that belong to an incident, in order; for an alert or an action: those of its incident.

    `name` is the id of an incident, an alert (its latest firing) or an action. Unknown ids give nothing.
    """
    journal, owners = _read(entries)
    if name not in owners.of_name:
        return []
    owner = owners.of_name[name]
    own = {seq for seq, other in owners.of_entry.items() if other == owner}
    if name in owners.fired and owner not in owners.targets:  # an alert on its own: not its earlier firings
        own = {seq for seq in own if seq >= owners.fired[name]}
    end = _end(journal, own, owner in owners.targets)
    chosen = own | _roots(journal, owners, own, owner)
    if target := owners.targets.get(owner):
        chosen |= _of_engine(journal, target, min(own), end)
    chosen |= _consequences(journal, owners, chosen, owner, end)
    return [journal[seq] for seq in sorted(chosen)]


def known_names(entries: Iterable[Entry]) -> list[str]:
    """The ids that `story` can tell of, the latest last."""
    _, owners = _read(entries)
    return list(owners.of_name)


def _read(entries: Iterable[Entry]) -> tuple[dict[int, Entry], _Owners]:
    journal: dict[int, Entry] = {}
    owners = _Owners()
    for entry in entries:
        journal[entry.seq] = entry
        owners.note(entry)
    return journal, owners


def _end(journal: dict[int, Entry], own: set[int], is_incident: bool) -> int:
    """The number of the event that ends the story; the last one's where it has not ended."""
    ending = e.IncidentResolved if is_incident else e.AlertResolved
    return max((seq for seq in own if isinstance(journal[seq].event, ending)), default=max(journal))


def _roots(journal: dict[int, Entry], owners: _Owners, own: set[int], owner: str) -> set[int]:
    """The walk back from each event to its reason, as far as the last time that all was well."""
    found: set[int] = set()
    waiting = [journal[seq].because for seq in own]
    while waiting:
        seq = waiting.pop()
        if seq is None or seq in found or seq in own or seq not in journal:
            continue
        if owners.of_entry.get(seq, owner) != owner or _all_was_well(journal[seq]):
            continue
        found.add(seq)
        waiting.append(journal[seq].because)
    return found


def _of_engine(journal: dict[int, Entry], target: str, begin: int, end: int) -> set[int]:
    """What the engine did from the last time that it was well before `begin`."""
    about = [
        entry
        for entry in journal.values()
        if isinstance(entry.event, _OF_AN_ENGINE) and entry.event.target == target and entry.seq <= end
    ]
    well = max((entry.seq for entry in about if entry.seq < begin and _all_was_well(entry)), default=0)
    return {entry.seq for entry in about if entry.seq > well}


def _consequences(journal: dict[int, Entry], owners: _Owners, chosen: set[int], owner: str, end: int) -> set[int]:
    """What the chosen events led to until the end of the story."""
    found: set[int] = set()
    for entry in _in_order(journal):
        follows = entry.because in chosen or entry.because in found
        if follows and entry.seq <= end and owners.of_entry.get(entry.seq, owner) == owner:
            found.add(entry.seq)
    return found


def _in_order(journal: dict[int, Entry]) -> Iterator[Entry]:
    return (journal[seq] for seq in sorted(journal))


def _all_was_well(entry: Entry) -> bool:
    return isinstance(entry.event, e.StateChanged) and entry.event.after in _WELL
