"""A folder of knowledge: where its faults lie, and where their proofs and the healthy logs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from paramedic.diagnosis.pattern import Catalogue
from paramedic.knowledge.catalogue import HERE, load_catalogue
from paramedic.knowledge.yaml_file import read_yaml

NONE = "none"  # what a right diagnosis says of a healthy recording
CHECKOUT = HERE.parents[2]  # where this is a checkout of Paramedic
PROOFS_ELSEWHERE = (
    "Paramedic's own proofs are not installed with it: they lie in its sources, in tests/knowledge/faults"
)


@dataclass(frozen=True, slots=True)
class Folder:
    """Paramedic's own knowledge, or somebody's beside it."""

    path: Path
    proofs: Path
    healthy: tuple[Path, ...]
    recordings: Mapping[Path, str] = field(default_factory=dict)  # logs of real runs, and the fault that each shows

    @property
    def is_ours(self) -> bool:
        return self.path == HERE

    def catalogue(self) -> Catalogue:
        """These faults together with Paramedic's own. Raises InvalidFiles."""
        return load_catalogue() if self.is_ours else load_catalogue(beside=(self.path,))

    def fault_files(self) -> list[Path]:
        return sorted((self.path / "faults").glob("*.yaml"))

    def proofs_of(self, fault: str) -> list[Path]:
        """The logs and scenes that must show this fault first."""
        own = sorted(path for path in (self.proofs / fault).glob("*") if path.suffix in {".log", ".yaml"})
        return own + [path for path, shown in self.recordings.items() if shown == fault]

    def healthy_logs(self) -> Iterator[Path]:
        """The logs in which no fault may be found."""
        for place in self.healthy:
            is_open = _open(place)
            yield from (path for path in sorted(place.rglob("*.log")) if path.name not in is_open)
        yield from (path for path, shown in self.recordings.items() if shown == NONE)


def folder_of(path: Path | None = None) -> Folder:
    """The folder of knowledge at a path; Paramedic's own where none is given."""
    tests = CHECKOUT / "tests" / "knowledge"
    ours = Folder(HERE, tests / "faults", (tests / "healthy", tests / "benign"), _recordings())
    if path is None or path.resolve() == HERE:
        return ours
    quiet = {log: shown for log, shown in ours.recordings.items() if shown == NONE}
    return Folder(path, path / "proofs", (path / "healthy", *ours.healthy), quiet)


def _open(place: Path) -> frozenset[str]:
    """Logs in which something is still found, wrongly, as their index says: known, and not to be told again."""
    index = place / "index.yaml"
    rows = read_yaml(index).data if index.exists() else {}
    return frozenset(name for name, row in rows.items() if "open_fault" in row)


def _recordings() -> dict[Path, str]:
    """The logs of real runs that come with a checkout, and what a right diagnosis says of each."""
    recordings = CHECKOUT / "tests" / "recordings"
    expected = recordings / "expected.yaml"
    rows = read_yaml(expected).data if expected.exists() else {}
    return {recordings / "logs" / f"{name}.log": row["cause"] for name, row in rows.items()}
