"""Loads the vocabulary: which raw names stand behind each name of ours."""

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from paramedic.knowledge.fields import Fields
from paramedic.knowledge.yaml_file import YamlFile, did_you_mean, read_yaml
from paramedic.model.errors import InvalidFiles, Problem
from paramedic.model.text import Text
from paramedic.signals.expression import Selector
from paramedic.signals.promql import PromQLError, parse
from paramedic.signals.vocabulary import Kind, RawName, Term, Vocabulary

SHIPPED = Path(__file__).parent / "vocabulary"
_NAME = re.compile(r"[a-z_][a-z0-9_]*(:[a-z0-9_]+)?")
_KINDS: dict[str, Kind] = {"gauge": "gauge", "counter": "counter", "histogram": "histogram"}


@lru_cache(maxsize=1)
def shipped_vocabulary() -> Vocabulary:
    """This version's vocabulary."""
    return load_vocabulary()


def load_vocabulary(folders: Sequence[Path] = (SHIPPED,)) -> Vocabulary:
    """Read every vocabulary file. Raises InvalidFiles with every mistake of all files.

    Where two engines have the same name of ours, their raw names are put together.
    """
    terms: dict[str, Term] = {}
    problems: list[Problem] = []
    for path in sorted(each for folder in folders for each in folder.glob("*.yaml")):
        try:
            file = read_yaml(path)
        except InvalidFiles as error:
            problems.extend(error.problems)
            continue
        _read(file, terms)
        problems.extend(file.problems)
    if problems:
        raise InvalidFiles(problems)
    return Vocabulary(terms)


def _read(file: YamlFile, terms: dict[str, Term]) -> None:
    top = Fields(file, ())
    top.only("engine", "names")
    if "names" not in top:
        file.problem((), "the key names is missing: our names, each with its raw ones")
        return
    for name in Fields(file, ("names",)).keys():  # noqa: SIM118 (Fields is no mapping)
        term = _term(file, name)
        known = terms.get(name)
        terms[name] = term if known is None else Term(name, known.kind, known.text, (*known.raw, *term.raw))


def _term(file: YamlFile, name: str) -> Term:
    fields = Fields(file, ("names", name))
    fields.only("kind", "raw", "en", "zh")
    if not _NAME.fullmatch(name):
        file.problem(("names", name), f"{name!r} is not a name of ours", "lower case, such as llm:requests_running")
    kind = fields.string("kind")
    if kind not in _KINDS:
        hint = did_you_mean(kind, _KINDS) or f"one of {', '.join(_KINDS)}"
        fields.wrong("kind", f"kind cannot be {kind!r}", hint)
    raw = tuple(found for text in fields.strings("raw") if (found := _raw_name(fields, text)))
    if not raw:
        fields.wrong("raw", "raw needs at least one metric name")
    for language in ("en", "zh"):
        if not fields.string(language).strip():
            fields.wrong(language, f"{language} is missing: what the name means, in one sentence")
    return Term(name, _KINDS.get(kind, "gauge"), Text(fields.string("en"), fields.string("zh")), raw)


def _raw_name(fields: Fields, text: str) -> RawName | None:
    try:
        root = parse(text).root
    except PromQLError as error:
        fields.wrong("raw", str(error))
        return None
    if not isinstance(root, Selector) or not root.name or any(each.op != "=" for each in root.matchers):
        fields.wrong("raw", f'{text!r} must be a metric name, with label="value" where that singles it out')
        return None
    return RawName(root.name, tuple((each.name, each.value) for each in root.matchers))
