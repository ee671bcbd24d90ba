"""YAML with line numbers, so that a mistake in a data file is named by file and line."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from paramedic.model.errors import InvalidFiles, Problem

# libyaml where it is built in: the same safe YAML, ten times as fast.
LOADER: type[yaml.SafeLoader | yaml.CSafeLoader] = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
Where = tuple[str | int, ...]


@dataclass(slots=True)
class YamlFile:
    """A parsed file: its data, and the line of every key and list item by its path in the data."""

    name: str
    data: Any
    lines: dict[Where, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line(self, *where: str | int) -> int:
        """The line of the nearest known place at or above `where`; 0 when there is none."""
        while where and where not in self.lines:
            where = where[:-1]
        return self.lines.get(where, 0)

    def problem(self, where: Iterable[str | int], text: str, hint: str = "") -> None:
        self.problems.append(Problem(self.name, self.line(*where), text, hint))

    def raise_problems(self) -> None:
        if self.problems:
            raise InvalidFiles(self.problems)

    def unknown_keys(self, where: Where, found: Iterable[str], known: Iterable[str]) -> None:
        """Note every key that is not known, with the nearest known one."""
        names = sorted(known)
        for key in found:
            if key not in names:
                self.problem((*where, key), f"unknown key {key!r}", did_you_mean(str(key), names))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint that names the closest known word, or "" when none is close."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else ""


def parse_yaml(name: str, text: str) -> YamlFile:
    """Parse YAML text; syntax errors and duplicate keys raise InvalidFiles with their line."""
    file = YamlFile(name, None)
    node, data = _composed(name, text)
    if node is not None:
        _note_lines(file, node, ())
        file.raise_problems()
        file.data = data
    return file


def _composed(name: str, text: str) -> tuple[yaml.Node | None, Any]:
    """The nodes, for their lines, and the data. Only the slow parser says exactly where a mistake stands."""
    try:
        return yaml.compose(text, Loader=LOADER), yaml.load(text, Loader=LOADER)  # noqa: S506 (both are safe)
    except yaml.YAMLError:
        pass
    try:
        return yaml.compose(text, Loader=yaml.SafeLoader), yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = error.problem or "this is not YAML"
        raise InvalidFiles([Problem(name, mark.line + 1 if mark else 0, what)]) from error
    except yaml.YAMLError as error:
        raise InvalidFiles([Problem(name, 0, str(error).splitlines()[0])]) from error


def read_yaml(path: Path) -> YamlFile:
    """Read and parse a file; an unreadable one raises InvalidFiles."""
    try:
        return parse_yaml(str(path), path.read_text("utf-8"))
    except OSError as error:
        raise InvalidFiles([Problem(str(path), 0, f"cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise InvalidFiles([Problem(str(path), 0, f"is not UTF-8 text: {error.reason}")]) from error


def _note_lines(file: YamlFile, node: yaml.Node, where: Where) -> None:
    file.lines.setdefault(where, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            file.lines[(*where, name)] = key.start_mark.line + 1
            if name in seen:
                file.problem((*where, name), f"key {name!r} is given twice")
            seen.add(name)
            _note_lines(file, value, (*where, name))
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _note_lines(file, item, (*where, index))
