"""Proving faults: each must be the first cause in its own logs and scenes, and none may be found in a healthy log."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from paramedic.diagnosis.diagnose import diagnose
from paramedic.diagnosis.pattern import Catalogue
from paramedic.diagnosis.scene import Log, Scene
from paramedic.knowledge.folder import Folder
from paramedic.knowledge.scene_file import read_scene
from paramedic.model.finding import Diagnosis, Finding


@dataclass(frozen=True, slots=True)
class Result:
    """What was found in one proof. `fault` is "" for a healthy log, in which nothing may be found."""

    path: Path
    fault: str
    first: str
    found: tuple[Finding, ...]

    @property
    def right(self) -> bool:
        return bool(self.found) is bool(self.fault) and (not self.fault or self.found[0].cause == self.first)

    def sentence(self) -> str:
        """What was found instead, with its place."""
        if not self.found:
            return "nothing was found"
        return ", ".join(f"{finding.cause}{_place(finding)}" for finding in self.found)


def prove(fault: str, path: Path, catalogue: Catalogue) -> Result:
    """Whether a log or scene shows its fault first."""
    scene, first = (Scene((log_of(path),)), fault) if path.suffix == ".log" else read_scene(path, fault)
    return Result(path, fault, first, _told(diagnose(scene, catalogue), is_advice=catalogue.by_id[fault].advice))


def prove_healthy(path: Path, catalogue: Catalogue) -> Result:
    """Whether nothing is found in a healthy log. Advice may be: it breaks nothing."""
    return Result(path, "", "", diagnose(Scene((log_of(path),)), catalogue).findings)


def all_proofs(folder: Folder, catalogue: Catalogue, faults: Sequence[str]) -> Iterator[tuple[str, Path]]:
    """(fault, proof) of these faults, then ("", log) of every healthy log."""
    for fault in faults:
        yield from ((fault, path) for path in folder.proofs_of(fault))
    yield from (("", path) for path in folder.healthy_logs())


def log_of(path: Path) -> Log:
    """A log under a name that tells nothing."""
    return Log("server.log", path.read_text("utf-8", errors="replace").split("\n"))


def _told(answer: Diagnosis, *, is_advice: bool) -> tuple[Finding, ...]:
    return answer.advice if is_advice else answer.findings


def _place(finding: Finding) -> str:
    return next((f" (line {one.line})" for one in finding.evidence if one.line), "")
