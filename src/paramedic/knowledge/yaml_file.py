"""YAML with line numbers, so that a mistake in a data file is named by file and line."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from paramedic.knowledge.yaml_words import in_words
from paramedic.model.errors import InvalidFiles, Problem

# libyaml where it is built in: the same safe YAML, ten times as fast.
LOADER: type[yaml.SafeLoader | yaml.CSafeLoader] = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
Where = tuple[str | int, ...]
PLACES = 100_000  # no honest file has more; one that repeats itself by & and * soon has millions


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


def near(path: Path) -> str:
    """A hint that names a file beside a missing one with nearly its name, or ""."""
    try:
        names = [each.name for each in path.parent.iterdir()]
    except OSError:
        return ""
    return did_you_mean(path.name, names)


def parse_yaml(name: str, text: str) -> YamlFile:
    """Parse YAML text; syntax errors and duplicate keys raise InvalidFiles with their line."""
    try:
        return _parsed(name, text, LOADER)
    except (yaml.YAMLError, RecursionError, ValueError):
        pass  # only the slow parser says exactly where a mistake stands
    try:
        return _parsed(name, text, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        what, hint = in_words(error.problem or "this is not YAML")
        at_its_begin = error.problem == "found unexpected end of stream"  # of a quote that does not end
        mark = (error.context_mark if at_its_begin else error.problem_mark) or error.context_mark
        raise InvalidFiles([Problem(name, mark.line + 1 if mark else 0, what, hint)]) from error
    except yaml.YAMLError as error:
        what, hint = in_words(" ".join(str(error).splitlines()[:2]))
        raise InvalidFiles([Problem(name, 0, what, hint)]) from error
    except RecursionError as error:
        raise InvalidFiles([Problem(name, 0, "is nested too deeply")]) from error
    except ValueError as error:  # a date that no calendar has
        raise InvalidFiles([Problem(name, 0, f"holds a value that cannot be: {error}", "put it in quotes")]) from error


def _parsed(name: str, text: str, parser: type[yaml.SafeLoader | yaml.CSafeLoader]) -> YamlFile:
    """The nodes once, first for their lines and then for the data."""
    file = YamlFile(name, None)
    loader = parser(text)
    try:
        node = loader.get_single_node()
        if node is not None:
            _note_lines(file, node, ())
            file.raise_problems()
            file.data = loader.construct_document(node)
    finally:
        loader.dispose()
    return file


def read_yaml(path: Path) -> YamlFile:
    """Read and parse a file; an unreadable one raises InvalidFiles."""
    try:
        return parse_yaml(str(path), path.read_text("utf-8"))
    except IsADirectoryError as error:
        raise InvalidFiles([Problem(str(path), 0, "is a folder", "give a file in it")]) from error
    except FileNotFoundError as error:
        raise InvalidFiles([Problem(str(path), 0, "there is no such file", near(path))]) from error
    except OSError as error:
        raise InvalidFiles([Problem(str(path), 0, f"cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise InvalidFiles([Problem(str(path), 0, "is not UTF-8 text", "is it the right file?")]) from error


def _note_lines(file: YamlFile, node: yaml.Node, where: Where, within: tuple[yaml.Node, ...] = ()) -> None:
    if node in within:
        file.problem(where[:-1], "it refers to itself with * and &", "write it out")
        return
    if len(file.lines) >= PLACES:
        if not file.problems:
            file.problem((), f"holds more than {PLACES} values")
        return
    file.lines.setdefault(where, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            file.lines[(*where, name)] = key.start_mark.line + 1
            if name in seen:
                file.problem((*where, name), f"key {name!r} is given twice")
            seen.add(name)
            _note_lines(file, value, (*where, name), (*within, node))
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _note_lines(file, item, (*where, index), (*within, node))
