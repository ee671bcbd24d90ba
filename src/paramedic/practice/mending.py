"""What is broken and what can be undone, in the running engines and in the data folder of one that cannot start."""

from dataclasses import dataclass
from pathlib import Path

from paramedic.model.errors import NoDaemon
from paramedic.practice.fault import Fault, Patient
from paramedic.practice.faults import all_faults
from paramedic.practice.model_folder import own_model
from paramedic.practice.registration import Registration, choose_engine, running_engines


@dataclass(frozen=True, slots=True)
class FaultState:
    """A fault and whether anything is broken by it now."""

    fault: Fault
    broken: bool

    def document(self) -> dict[str, object]:
        """For machines: what a watcher must come to, null where nothing may be; the causes in `also` are right too."""
        fault = self.fault
        return {
            "id": fault.id,
            "title": {"en": fault.title.en, "zh": fault.title.zh},
            "summary": {"en": fault.summary.en, "zh": fault.summary.zh},
            "alert": fault.expected.alert,
            "cause": fault.expected.cause,
            "also": list(fault.expected.also),
            "outcome": fault.expected.outcome.value,
            "seconds": fault.seconds or None,
            "broken": self.broken,
        }


@dataclass(frozen=True, slots=True)
class PracticeState:
    """Everything that `practice list` shows."""

    faults: tuple[FaultState, ...]
    engines: tuple[Registration, ...]

    def document(self) -> dict[str, object]:
        """For machines; without the tokens."""
        return {
            "faults": [fault.document() for fault in self.faults],
            "engines": [{"pid": engine.pid, "url": engine.url, "model": engine.model} for engine in self.engines],
        }


def state(data_dir: Path) -> PracticeState:
    """Look at every engine and at the folder."""
    engines = running_engines(data_dir)
    broken = {fault for engine in engines for fault in engine.call("GET", "/")["broken"]}
    broken |= {fault.id for fault in all_faults() if fault.is_broken(_folder(data_dir))}
    return PracticeState(tuple(FaultState(fault, fault.id in broken) for fault in all_faults()), tuple(engines))


def mend_all(data_dir: Path, url: str | None, port: int | None) -> list[str]:
    """Undo what can be undone; the ids of what was. Raises NoDaemon when nothing runs and nothing was broken."""
    mended = {fault.id for fault in all_faults() if fault.mend(_folder(data_dir, port))}
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


def _folder(data_dir: Path, port: int | None = None) -> Patient:
    """The data folder alone: no engine need run."""
    return Patient(data_dir, own_model(data_dir), port)
