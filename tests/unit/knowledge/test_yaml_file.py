"""YAML whose mistakes are named by file and line."""

from pathlib import Path

import pytest

from paramedic.knowledge.yaml_file import did_you_mean, parse_yaml, read_yaml
from paramedic.model.errors import InvalidFiles, Problem

TEXT = """\
family: process
title:
  en: It died
  zh: 它死了
seen:
  - log: one
  - log: two
    stages: [serving]
"""


def problems(text: str) -> list[tuple[int, str]]:
    with pytest.raises(InvalidFiles) as error:
        parse_yaml("f.yaml", text)
    return [(problem.line, problem.text) for problem in error.value.problems]


@pytest.mark.parametrize(
    ("where", "line"),
    [
        (("family",), 1),
        (("title",), 2),
        (("title", "zh"), 4),
        (("seen", 0), 6),
        (("seen", 1, "log"), 7),
        (("seen", 1, "stages"), 8),
        (("seen", 1, "absent"), 7),  # the nearest known place above
        (("absent",), 1),
    ],
)
def test_every_place_has_its_line(where: tuple[str | int, ...], line: int) -> None:
    assert parse_yaml("f.yaml", TEXT).line(*where) == line


def test_its_data_is_plain() -> None:
    data = parse_yaml("f.yaml", TEXT).data
    assert data["seen"][1] == {"log": "two", "stages": ["serving"]}


def test_an_empty_file_has_no_data() -> None:
    file = parse_yaml("f.yaml", "# nothing\n")
    assert (file.data, file.line("a")) == (None, 0)


def test_a_syntax_error_has_its_line() -> None:
    [(line, text)] = problems("a: 1\nb: [1, 2\nc: 3\n")
    assert line in (2, 3)
    assert text


def test_every_key_that_is_given_twice_is_named() -> None:
    assert problems("a: 1\nb: {c: 1, c: 2}\na: 2\n") == [
        (2, "key 'c' is given twice"),
        (3, "key 'a' is given twice"),
    ]


def test_unknown_keys_are_all_named_with_the_nearest_known_one() -> None:
    file = parse_yaml("f.yaml", "titel: x\nxyzzy: y\nfamily: z\n")
    file.unknown_keys((), file.data, ["title", "family"])
    with pytest.raises(InvalidFiles) as error:
        file.raise_problems()
    assert error.value.problems == (
        Problem("f.yaml", 1, "unknown key 'titel'", "did you mean 'title'?"),
        Problem("f.yaml", 2, "unknown key 'xyzzy'", ""),
    )
    assert str(error.value).startswith("f.yaml:1: unknown key 'titel' (did you mean 'title'?)")


def test_without_problems_nothing_is_raised() -> None:
    parse_yaml("f.yaml", TEXT).raise_problems()


def test_a_file_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(InvalidFiles, match=r"absent\.yaml: there is no such file"):
        read_yaml(tmp_path / "absent.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"a: \xff\xfe")
    with pytest.raises(InvalidFiles, match=r"binary\.yaml: is not UTF-8"):
        read_yaml(tmp_path / "binary.yaml")


def test_a_file_is_named_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_text(TEXT, "utf-8")
    assert read_yaml(path).name == str(path)


def test_a_hint_is_given_only_when_something_is_close() -> None:
    assert did_you_mean("engine-dad", ["engine-dead", "server-down"]) == "did you mean 'engine-dead'?"
    assert did_you_mean("xyzzy", ["engine-dead"]) == ""
