"""What is unsound in faults that could be loaded: no source, no proof, a remedy that nobody uses, too common a word."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from paramedic.diagnosis.anchor import COMMON
from paramedic.diagnosis.explain import holes
from paramedic.diagnosis.pattern import Catalogue, Fault
from paramedic.knowledge.folder import Folder
from paramedic.knowledge.proofs import prove_healthy
from paramedic.knowledge.yaml_file import Where, YamlFile, read_yaml
from paramedic.model.errors import InvalidFiles, Problem
from paramedic.model.text import Text

SHORTEST = 3  # letters of a word that is rare enough to look for
CHINESE = re.compile(r"[\u4e00-\u9fff]")


@dataclass(frozen=True, slots=True)
class Subject:
    """One fault with its file, to be judged."""

    fault: Fault
    file: YamlFile
    folder: Folder


def lint(folder: Folder, healthy: tuple[Path, ...] = ()) -> list[Problem]:
    """Every mistake of every file of a folder, sorted by file; an empty list means that all is sound."""
    try:
        catalogue = folder.catalogue()
    except InvalidFiles as error:
        return list(error.problems)
    problems: list[Problem] = []
    for path in folder.fault_files():
        subject = Subject(catalogue.by_id[path.stem], read_yaml(path), folder)
        for check in CHECKS:
            check(subject)
        problems += subject.file.problems
    problems += _beside(folder, catalogue)
    problems += _loud(folder, catalogue, (*folder.healthy_logs(), *healthy))
    return list(InvalidFiles(problems).problems)


def _has_source(subject: Subject) -> None:
    if not subject.fault.source.strip():
        hint = "say where the message is from: `run`, `raised` or `report`, and of what"
        subject.file.problem(("source",), "there is no source", hint)


def _has_proof(subject: Subject) -> None:
    proofs = subject.folder.proofs
    if subject.fault.sights and proofs.is_dir() and not subject.folder.proofs_of(subject.fault.id):
        subject.file.problem((), "there is no proof", f"put a log that shows it into {proofs / subject.fault.id}/")


def _has_remedy(subject: Subject) -> None:
    if not subject.fault.remedies:
        subject.file.problem(("remedies",), "there is no remedy", "say what a person does, as remedies/NAME.yaml")


def _speaks_chinese(subject: Subject) -> None:
    _both_languages(subject.file, ("title", "zh"), subject.fault.title)
    for position, text in enumerate(subject.fault.summaries):
        _both_languages(subject.file, ("summary", position, "zh"), text)


def _both_languages(file: YamlFile, where: Where, text: Text) -> None:
    if not CHINESE.search(text.zh):
        file.problem(where, "the Chinese sentence holds no Chinese")
    if names := holes(text.en) ^ holes(text.zh):
        named = ", ".join(f"{{{name}}}" for name in sorted(names))
        file.problem(where, f"only one of the languages names {named}")


def _has_rare_words(subject: Subject) -> None:
    """A message is found by its rarest word: where that is in every other line, each of them must be looked at."""
    for position, sight in enumerate(subject.fault.sights):
        for template in sight.log:
            if template.word in COMMON or len(template.word) < SHORTEST:
                subject.file.problem(
                    ("seen", position, "log"),
                    f"{template.text!r} has no rare word (its rarest is {template.word!r})",
                    "add more of the message",
                )


CHECKS: tuple[Callable[[Subject], None], ...] = (
    _has_source,
    _has_proof,
    _has_remedy,
    _speaks_chinese,
    _has_rare_words,
)


def _beside(folder: Folder, catalogue: Catalogue) -> Iterator[Problem]:
    """Of the remedies and tables of a folder."""
    used = {remedy for fault in catalogue.faults for remedy in fault.remedies}
    used |= {remedy for table in catalogue.tables.values() for row in table.rows.values() for remedy in row.remedies}
    tables = {fault.table.id for fault in catalogue.faults if fault.table}
    for path in sorted((folder.path / "remedies").glob("*.yaml")):
        file = read_yaml(path)
        if path.stem not in used:
            file.problem((), f"no fault uses the remedy {path.stem!r}", "name it under remedies: of a fault")
        for position, text in enumerate(catalogue.remedies[path.stem].texts):
            _both_languages(
                file, ("text", position, "zh") if ("text", position) in file.lines else ("text", "zh"), text
            )
        yield from file.problems
    for path in sorted((folder.path / "numbers").glob("*.yaml")):
        file = read_yaml(path)
        if path.stem not in tables:
            file.problem((), f"no fault uses the table {path.stem!r}", "name it under table: of a fault")
        if not catalogue.tables[path.stem].source:
            file.problem(("source",), "there is no source", "say where its numbers are from")
        yield from file.problems


def _loud(folder: Folder, catalogue: Catalogue, healthy: tuple[Path, ...]) -> Iterator[Problem]:
    """Faults of this folder that are found where nothing is wrong."""
    files = {path.stem: path for path in folder.fault_files()}
    for path in healthy:
        for finding in prove_healthy(path, catalogue).found:
            if finding.cause in files:
                line = next((one.line for one in finding.evidence if one.line), 0)
                place = f"{path}:{line}" if line else str(path)
                hint = "make the message longer, or say stages:, roles: or unless:"
                yield Problem(str(files[finding.cause]), 0, f"is found in the healthy log {place}", hint)
