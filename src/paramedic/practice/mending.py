"""What is broken and what can be undone, in the running engines and in the data folder of one that cannot start."""

from dataclasses import dataclass
from pathlib import Path

from paramedic.model.errors import NoDaemon
from paramedic.model.text import Text
from paramedic.practice.faults import Patient, fault_ids, find_fault
from paramedic.practice.model_folder import own_model
from paramedic.practice.registration import Registration, choose_engine, running_engines


@dataclass(frozen=True, slots=True)
class FaultState:
    """A fault and whether anything is broken by it now."""

    id: str
    title: Text
    summary: Text
    broken: bool


@dataclass(frozen=True, slots=True)
class PracticeState:
    """Everything that `practice list` shows."""

    faults: tuple[FaultState, ...]
    engines: tuple[Registration, ...]

    def document(self) -> dict[str, object]:
        """For machines; without the tokens."""
        return {
            "faults": [
                {
                    "id": fault.id,
                    "title": {"en": fault.title.en, "zh": fault.title.zh},
                    "summary": {"en": fault.summary.en, "zh": fault.summary.zh},
                    "broken": fault.broken,
                }
                for fault in self.faults
            ],
            "engines": [{"pid": engine.pid, "url": engine.url, "model": engine.model} for engine in self.engines],
        }


def state(data_dir: Path) -> PracticeState:
    """Look at every engine and at the folder."""
    engines = running_engines(data_dir)
    broken = {fault for engine in engines for fault in engine.call("GET", "/")["broken"]}
    broken |= {fault for fault in fault_ids() if find_fault(fault).is_broken(_folder(data_dir))}
    faults = tuple(
        FaultState(fault, find_fault(fault).TITLE, find_fault(fault).SUMMARY, fault in broken) for fault in fault_ids()
    )
    return PracticeState(faults, tuple(engines))


def mend_all(data_dir: Path, url: str | None, port: int | None) -> list[str]:
    """Undo what can be undone; the ids of what was. Raises NoDaemon when nothing runs and nothing was broken."""
    mended = {fault for fault in fault_ids() if find_fault(fault).mend(_folder(data_dir))}
    engines = running_engines(data_dir) if url is None and port is None else []
    if not engines and (not mended or url is not None or port is not None):
        try:
            engines = [choose_engine(data_dir, url, port)]
        except NoDaemon:
            if not mended:
                raise
    for engine in engines:
        mended |= set(engine.call("DELETE", "/faults")["mended"])
    return sorted(mended)


def _folder(data_dir: Path) -> Patient:
    """The data folder alone: no engine need run."""
    return Patient(None, own_model(data_dir), data_dir)
