"""The functions that make labels: label_replace, label_join, absent."""

import re
from collections.abc import Sequence

from paramedic.model.sample import LabelSet
from paramedic.signals.expression import EvaluationError, Selector
from paramedic.signals.functions.vector import Vector, unique

_REFERENCE = re.compile(r"\$(?:(\$)|(\w+)|\{(\w+)\})")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


def label_replace(vector: Vector, target: str, replacement: str, source: str, pattern: str) -> Vector:
    """Set `target` from `source` where the whole of `source` matches `pattern`."""
    _check_label(target)
    compiled = re.compile(pattern, re.DOTALL)
    result: Vector = []
    for labels, value in vector:
        match = compiled.fullmatch(dict(labels).get(source, ""))
        if match is None:
            result.append((labels, value))
        else:
            result.append((_with(labels, target, _expand(match, replacement)), value))
    return unique(result, "label_replace()")


def label_join(vector: Vector, target: str, separator: str, sources: Sequence[str]) -> Vector:
    """Set `target` to the values of `sources`, joined."""
    _check_label(target)
    result: Vector = []
    for labels, value in vector:
        known = dict(labels)
        result.append((_with(labels, target, separator.join(known.get(name, "") for name in sources)), value))
    return unique(result, "label_join()")


def absent(vector: Vector, selector: Selector | None) -> Vector:
    """1, with the labels that the selector's equalities name, where the vector is empty."""
    if vector:
        return []
    equal: dict[str, str] = {}
    twice: set[str] = set()
    for matcher in selector.matchers if selector else ():
        if matcher.op != "=" or matcher.name in equal:
            twice.add(matcher.name)
        else:
            equal[matcher.name] = matcher.value
    labels = {name: value for name, value in equal.items() if value and name not in twice | {"__name__"}}
    return [(tuple(sorted(labels.items())), 1.0)]


def _check_label(name: str) -> None:
    if not _LABEL.fullmatch(name):
        raise EvaluationError(f"{name!r} is not a label name")


def _with(labels: LabelSet, name: str, value: str) -> LabelSet:
    changed = {**dict(labels), name: value}
    return tuple(sorted((key, text) for key, text in changed.items() if text))


def _expand(match: re.Match[str], replacement: str) -> str:
    def reference(found: re.Match[str]) -> str:
        if found[1]:
            return "$"
        group = found[2] or found[3]
        try:
            return match[int(group) if group.isdigit() else group] or ""
        except IndexError:  # as in Go: a group that does not exist is empty
            return ""

    return _REFERENCE.sub(reference, replacement)
