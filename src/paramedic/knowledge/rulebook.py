"""Loads the rules: Prometheus rule files, every mistake of all files at once."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from paramedic.knowledge.fields import Fields
from paramedic.knowledge.yaml_file import YamlFile, did_you_mean, read_yaml
from paramedic.model.errors import InvalidFiles, Problem
from paramedic.model.level import Category, Level
from paramedic.rules.rule import Rule
from paramedic.rules.template import Template, TemplateError, parse_template
from paramedic.signals.expression import Expression
from paramedic.signals.promql import PromQLError, parse
from paramedic.signals.vocabulary import Vocabulary

SHIPPED = Path(__file__).parent / "rules"
_ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?")
_KINDS = {"matrix": "range of values", "string": "text"}
_A_DURATION = "a duration such as 30s, 5m or 1h30m"
_SCALE = (86400.0, 3600.0, 60.0, 1.0, 0.001)
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_ANNOTATIONS = ("summary_en", "summary_zh", "runbook")


def load_rules(folders: Sequence[Path] = (SHIPPED,)) -> list[Rule]:
    """Every rule of the folders' files. A rule of a later folder replaces the one of the same id of an earlier one.

    Raises InvalidFiles with every mistake of all files.
    """
    rules: dict[str, Rule] = {}
    problems: list[Problem] = []
    for folder in folders:
        found, mistakes = read_rules(rule_files(folder))
        problems.extend(mistakes)
        rules.update({rule.id: rule for rule in found})
    if problems:
        raise InvalidFiles(problems)
    return list(rules.values())


def rule_files(place: Path) -> list[Path]:
    """The rule files of a folder; a file stands for itself."""
    if not place.is_dir():
        return [place]
    return sorted(each for each in place.iterdir() if each.suffix in (".yml", ".yaml") and each.is_file())


def read_rules(paths: Sequence[Path]) -> tuple[list[Rule], list[Problem]]:
    """The good rules of some files, and every mistake in the others; within them an id may be there once."""
    rules: dict[str, Rule] = {}
    problems: list[Problem] = []
    for path in paths:
        try:
            file = read_yaml(path)
        except InvalidFiles as error:
            problems.extend(error.problems)
            continue
        for where, rule in _rules(file):
            if earlier := rules.get(rule.id):
                place = f"{earlier.file}:{earlier.line}"
                file.problem((*where, "alert"), f"the rule {rule.id!r} is already there, in {place}")
            rules[rule.id] = rule
        problems.extend(file.problems)
    return list(rules.values()), problems


@dataclass(frozen=True, slots=True)
class UnknownName:
    """A metric name in a rule that no vocabulary knows: right for another exporter's metric, else a slip."""

    name: str
    rule: Rule
    hint: str


def unknown_names(rules: Sequence[Rule], vocabulary: Vocabulary) -> list[UnknownName]:
    """Every name in the rules that stands only for itself, with the nearest known one."""
    known = set(vocabulary.names())
    raw = {each.name for name in known for each in vocabulary.resolve(name) or ()}
    return [
        UnknownName(name, rule, did_you_mean(name, known))
        for rule in rules
        for name in rule.expression.names
        if name not in known | raw
    ]


def _rules(file: YamlFile) -> Iterator[tuple[tuple[str | int, ...], Rule]]:
    top = Fields(file, ())
    top.only("groups")
    for group_where in _items(file, (), "groups"):
        group = Fields(file, group_where)
        if "interval" in group:
            group.wrong("interval", "an interval is not supported: rules are judged at every look", "leave it out")
        group.only("name", "rules", "interval")
        if not group.string("name"):
            file.problem(group_where, "the group has no name")
        for where in _items(file, group_where, "rules"):
            rule = _rule(file, where)
            if rule is not None:
                yield where, rule


def _items(file: YamlFile, where: tuple[str | int, ...], key: str) -> list[tuple[str | int, ...]]:
    data = file.data
    for step in where:
        data = data[step]
    found = data.get(key) if isinstance(data, dict) else None
    if not isinstance(found, list):
        if isinstance(data, dict):
            file.problem((*where, key), f"{key} is missing: a list" if found is None else f"{key} must be a list")
        return []
    return [(*where, key, index) for index in range(len(found))]


def _rule(file: YamlFile, where: tuple[str | int, ...]) -> Rule | None:
    """None after a mistake, which is noted."""
    mistakes = len(file.problems)
    fields = Fields(file, where)
    if "record" in fields:
        fields.wrong("record", "recording rules are not evaluated by Paramedic", "write the expression into the alert")
        return None
    fields.only("alert", "expr", "for", "keep_firing_for", "labels", "annotations")
    name = _id(fields)
    labels = _section(file, where, "labels")
    annotations = _section(file, where, "annotations")
    annotations.only(*_ANNOTATIONS)
    expression = _expression(fields)
    level = labels.choice("level", Level, None)
    category = labels.choice("category", Category, None)
    more = {key: _template(labels, key) for key in labels.keys() if key not in ("level", "category")}  # noqa: SIM118
    for key in more:
        if not _LABEL.fullmatch(key):
            labels.wrong(key, f"{key!r} is not a label name")
    summaries = [_summary(annotations, key) for key in ("summary_en", "summary_zh")]
    durations = [_seconds(fields, key) for key in ("for", "keep_firing_for")]
    if expression is None or len(file.problems) > mistakes:
        return None
    line = file.line(*where, "alert")
    return Rule(
        name, expression, level, category, summaries[0], summaries[1], durations[0], durations[1], more,
        annotations.string("runbook"), file.name, line,
    )  # fmt: skip


def _section(file: YamlFile, where: tuple[str | int, ...], key: str) -> Fields:
    data = file.data
    for step in where:
        data = data[step]
    if not isinstance(data, dict) or key not in data:
        if isinstance(data, dict):
            file.problem(where, f"{key} is missing")
        return Fields(YamlFile(file.name, {}, {}, []), ())
    return Fields(file, (*where, key))


def _id(fields: Fields) -> str:
    name = fields.string("alert")
    if not name:
        fields.wrong("alert", "alert is missing: the id of the rule")
    elif not _ID.fullmatch(name):
        kebab = re.sub(r"[^a-z0-9]+", "-", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()).strip("-")
        fields.wrong("alert", f"the alert's name {name!r} is not in kebab case", f"write {kebab!r}" if kebab else "")
    return name


def _expression(fields: Fields) -> Expression | None:
    if "expr" not in fields:
        fields.wrong("expr", "expr is missing: the PromQL expression")
        return None
    text = fields.string("expr")
    try:
        expression = parse(text) if text else None
    except PromQLError as error:
        fields.wrong("expr", str(error))
        return None
    if expression is not None and expression.type not in ("vector", "scalar"):
        kind = _KINDS[expression.type]
        fields.wrong("expr", f"a rule needs one value a series, this expression is a {kind}: {text.strip()!r}")
        return None
    return expression


def _template(fields: Fields, key: str) -> Template:
    try:
        return parse_template(fields.string(key))
    except TemplateError as error:
        fields.wrong(key, str(error))
        return Template("", ())


def _summary(fields: Fields, key: str) -> Template:
    if not fields.string(key).strip():
        fields.wrong(key, f"{key} is missing: what is wrong, in one sentence")
    return _template(fields, key)


def _seconds(fields: Fields, key: str) -> float:
    if key not in fields:
        return 0.0
    mistakes = len(fields.file.problems)
    text = fields.string(key, _A_DURATION)
    if len(fields.file.problems) > mistakes:
        return 0.0
    match = _DURATION.fullmatch(text)
    if match is None or not text:
        fields.wrong(key, f"{key} cannot be {text!r}", _A_DURATION)
        return 0.0
    return sum(int(part) * scale for part, scale in zip(match.groups(), _SCALE, strict=True) if part)
