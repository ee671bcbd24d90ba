"""The kinds of faults that several share: trouble at the next start, and crowds of clients."""

from dataclasses import dataclass

from paramedic.model.errors import UsageError
from paramedic.practice import troubles
from paramedic.practice.fault import Fault, Patient
from paramedic.practice.traffic import Crowd
from paramedic.practice.troubles import Manner, Stage, Trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class StartFault(Fault):
    """The engine core is killed, and every start from then on meets the trouble, until it is mended."""

    stage: Stage
    manner: Manner = Manner.FAILS

    def inflict(self, patient: Patient, seconds: float) -> None:
        if patient.port is None:
            raise UsageError("name the engine with --port")
        troubles.put(patient.data_dir, patient.port, Trouble(self.id, self.stage, self.manner, seconds))
        patient.kill_core()

    def mend(self, patient: Patient) -> bool:
        return troubles.take_away(patient.data_dir, patient.port, self.id)

    def is_broken(self, patient: Patient) -> bool:
        return troubles.is_there(patient.data_dir, patient.port, self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class CrowdFault(Fault):
    """More clients come than the engine can serve, or clients that behave badly."""

    crowd: Crowd

    def inflict(self, patient: Patient, seconds: float) -> None:
        patient.running.traffic.send(self.id, self.crowd)

    def mend(self, patient: Patient) -> bool:
        return patient.engine is not None and patient.engine.traffic.send_away(self.id)

    def is_broken(self, patient: Patient) -> bool:
        return patient.engine is not None and patient.engine.traffic.is_there(self.id)
