"""Faults, remedies and stages from their files: every mistake of every file found before any of it is used."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

from paramedic.diagnosis.explain import holes
from paramedic.diagnosis.number_table import NumberTable
from paramedic.diagnosis.pattern import Catalogue, Fault, RemedyText
from paramedic.diagnosis.stage import Stage, Stages
from paramedic.diagnosis.template import Template
from paramedic.knowledge.fields import Fields
from paramedic.knowledge.metrics_sight import Figures, read_figures
from paramedic.knowledge.number_tables import read_table
from paramedic.knowledge.sight import read_sight
from paramedic.knowledge.yaml_file import YamlFile, did_you_mean, near, read_yaml
from paramedic.model.errors import InvalidFiles, Problem
from paramedic.model.finding import Restart
from paramedic.model.level import Category, Level
from paramedic.model.text import NO_WORDS, Text

Item = TypeVar("Item")
HERE = Path(__file__).parent
FAULT_KEYS = (
    "family", "category", "level", "restart", "advice", "yields", "title", "summary", "seen", "facts",
    "contradicted_by", "remedies", "source", "table", "explains", "follows", "ask",
)  # fmt: skip


def load_catalogue(folder: Path | None = None, beside: Sequence[Path] = ()) -> Catalogue:
    """The catalogue of a folder laid out like this one (faults/, remedies/, stages/, numbers/); ours by default.

    The faults, remedies and numbers of the folders `beside` it are added to it; an id may be there once.
    Raises InvalidFiles with every mistake of every file, each with its line.
    """
    return _load(folder or HERE, tuple(beside))


def load_stages() -> Stages:
    """How the engine's own life shows in its log."""
    return _load(HERE, ()).stages


@cache
def _load(folder: Path, beside: tuple[Path, ...]) -> Catalogue:
    problems = [problem for own in beside for problem in _no_knowledge(own)]
    folders = (folder, *beside)
    families = _each((folder,), ".", "categories.yaml", _families, problems).get("categories", {})
    remedies = _each(folders, "remedies", "*.yaml", _remedy, problems)
    ids = frozenset(path.stem for place in folders for path in (place / "faults").glob("*.yaml"))
    stages = _each((folder,), "stages", "vllm.yaml", _stages, problems).get("vllm")
    known = _Known(
        families,
        remedies,
        frozenset(stage.id for stage in stages.stages) if stages else frozenset(),
        _each(folders, "numbers", "*.yaml", lambda id_, file: read_table(id_, file, remedies, ids), problems),
        _each((HERE,), ".", "figures.yaml", lambda _, file: read_figures(Fields(file, ())), problems).get(
            "figures", {}
        ),
        ids,
    )
    faults = _each(folders, "faults", "*.yaml", lambda id_, file: _fault(id_, file, known), problems)
    if problems or stages is None:
        raise InvalidFiles(problems or [Problem(str(folder / "stages" / "vllm.yaml"), 0, "is missing")])
    return Catalogue(tuple(faults.values()), remedies, stages, faults, known.tables)


def _no_knowledge(folder: Path) -> Iterator[Problem]:
    if not folder.is_dir():
        yield Problem(str(folder), 0, "there is no such folder", near(folder))
    elif not any(folder.glob("faults/*.yaml")):
        yield Problem(str(folder), 0, "holds no faults", "each is a file faults/ID.yaml in it")


def _each(
    folders: Sequence[Path],
    room: str,
    pattern: str,
    read: Callable[[str, YamlFile], Item],
    problems: list[Problem],
) -> dict[str, Item]:
    """Read every file of a room by its name; mistakes are collected, not raised."""
    found: dict[str, Item] = {}
    for path in (path for folder in folders for path in sorted((folder / room).glob(pattern))):
        try:
            file = read_yaml(path)
        except InvalidFiles as error:
            problems += error.problems
            continue
        if path.stem in found:
            file.problem((), f"the id {path.stem!r} is already taken in {room}/", "give the file another name")
        found.setdefault(path.stem, read(path.stem, file))
        problems += file.problems
    return found


def _families(_: str, file: YamlFile) -> Mapping[str, Category]:
    fields = Fields(file, ())
    return {name: fields.choice(name, Category, Category.WARNING) for name in fields}


def _remedy(id_: str, file: YamlFile) -> RemedyText:
    fields = Fields(file, ())
    fields.only("text", "flags")
    return RemedyText(id_, fields.texts("text"), fields.strings("flags"))


def _stages(_: str, file: YamlFile) -> Stages:
    fields = Fields(file, ())
    fields.only("engine", "stages", "run_start", "fallout")
    stages = tuple(_stage(each) for each in fields.items("stages"))
    return Stages(fields.string("engine"), stages, fields.templates("run_start"), fields.templates("fallout"))


def _stage(fields: Fields) -> Stage:
    fields.only("id", "text", "marks", "frames")
    return Stage(fields.string("id"), fields.text("text"), fields.templates("marks"), fields.strings("frames"))


@dataclass(frozen=True, slots=True)
class _Known:
    """What a fault may refer to by its name."""

    families: Mapping[str, Category]
    remedies: Mapping[str, RemedyText]
    stages: frozenset[str]
    tables: Mapping[str, NumberTable]
    figures: Figures
    faults: frozenset[str]


def _fault(id_: str, file: YamlFile, known: _Known) -> Fault:
    fields = Fields(file, ())
    fields.only(*FAULT_KEYS)
    family = fields.string("family")
    _check_names(fields, family, known)
    sights = tuple(read_sight(each, known.stages, known.figures) for each in fields.items("seen"))
    if not sights and "ask" not in fields:
        fields.wrong("seen", "a fault needs at least one sight that shows it", "or what to `ask` where nothing can")
    fault = Fault(
        id=id_,
        family=family,
        category=fields.choice("category", Category, known.families.get(family, Category.WARNING)),
        level=fields.choice("level", Level, None),
        restart=fields.choice("restart", Restart, None),
        title=fields.text("title"),
        summaries=fields.texts("summary"),
        sights=sights,
        remedies=fields.strings("remedies"),
        facts=fields.templates("facts"),
        contradicted_by=fields.templates("contradicted_by"),
        advice=fields.flag("advice"),
        yields=int(fields.number("yields", 0)),
        source=fields.string("source"),
        explains=fields.strings("explains"),
        follows=fields.strings("follows"),
        ask=fields.text("ask") if "ask" in fields else NO_WORDS,
        table=known.tables.get(fields.string("table")),
    )
    _check_holes(fields, fault)
    return fault


def _check_names(fields: Fields, family: str, known: _Known) -> None:
    table = fields.string("table")
    if family not in known.families:
        hint = did_you_mean(family, known.families) or f"one of {', '.join(known.families)}"
        fields.wrong("family", f"unknown family {family!r}" if family else "family is missing", hint)
    if table and table not in known.tables:
        fields.wrong("table", f"no table of numbers {table!r}", did_you_mean(table, known.tables))
    for position, name in enumerate(fields.strings("explains")):
        if name not in known.faults:
            fields.file.problem(("explains", position), f"no fault {name!r}", did_you_mean(name, known.faults))
    for position, name in enumerate(fields.strings("remedies")):
        if name not in known.remedies:
            fields.file.problem(("remedies", position), f"no remedy {name!r}", did_you_mean(name, known.remedies))


def _check_holes(fields: Fields, fault: Fault) -> None:
    """The last summary is shown when nothing is known: it may name only what every sight's message catches."""
    if not fault.summaries:
        return
    each = [_names(template) for sight in fault.sights for template in sight.log]
    always = frozenset.intersection(*each) if each and all(sight.log for sight in fault.sights) else frozenset()
    for name in sorted(_text_holes(fault.summaries[-1]) - always):
        fields.wrong("summary", f"the last summary names {{{name}}}, which is not always known",
                     "add a last variant without it")  # fmt: skip


def _names(template: Template) -> frozenset[str]:
    return frozenset(template.names)


def _text_holes(text: Text) -> set[str]:
    return holes(text.en) | holes(text.zh)
