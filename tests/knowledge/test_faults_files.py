"""A mistake in a fault's file is named with its line and a hint, all mistakes at once."""

import shutil
from pathlib import Path

import pytest

from paramedic.knowledge import catalogue
from paramedic.knowledge.catalogue import load_catalogue
from paramedic.model.errors import InvalidFiles

GOOD = """\
family: memory
level: P1
restart: useless
title: {en: A title, zh: 标题}
summary: {en: A sentence., zh: 一句话。}
seen:
  - log: "some message"
remedies: [restart-engine]
"""
REPLACED = {
    "famly: memory": ("family: memory", "1", "famly", "did you mean 'family'?"),
    "family: memroy": ("family: memory", "1", "unknown family 'memroy'", "did you mean 'memory'?"),
    "level: P9": ("level: P1", "2", "level cannot be 'P9'", "one of P0"),
    "restart: cure": ("restart: useless", "3", "restart cannot be 'cure'", "did you mean 'cures'?"),
    "title: {en: A title}": ("title: {en: A title, zh: 标题}", "4", "en and zh", ""),
    '  - log: "..."': ('  - log: "some message"', "7", "at least one fixed word", ""),
    '  - logs: "x"': ('  - log: "some message"', "7", "unknown key 'logs'", "did you mean 'log'?"),
    '  - {log: "some message", stages: [lodaing]}': (
        '  - log: "some message"',
        "7",
        "lodaing",
        "did you mean 'loading'?",
    ),
    '  - {log: "some message", roles: [wroker]}': ('  - log: "some message"', "7", "wroker", "did you mean 'worker'?"),
    '  - stats: {while: ["waitng > 0"]}': ('  - log: "some message"', "7", "waitng", "did you mean 'waiting'?"),
    '  - arguments: ["eager"]': ('  - log: "some message"', "7", "not a comparison", ""),
    '  - metrics: ["rate("]': ('  - log: "some message"', "7", "not PromQL", ""),
    '  - {log: "some message", confidence: 7}': ('  - log: "some message"', "7", "between 0 and 1", ""),
    "remedies: [restart-engin]": ("remedies: [restart-engine]", "8", "no remedy", "did you mean 'restart-engine'?"),
}


def folder_with(tmp_path: Path, text: str) -> Path:
    shipped = Path(catalogue.__file__).parent
    for room in ("remedies", "stages"):
        shutil.copytree(shipped / room, tmp_path / room)
    shutil.copy(shipped / "categories.yaml", tmp_path)
    (tmp_path / "faults").mkdir()
    (tmp_path / "faults" / "a-fault.yaml").write_text(text, "utf-8")
    return tmp_path


def test_good_file(tmp_path: Path) -> None:
    loaded = load_catalogue(folder_with(tmp_path, GOOD))
    assert [fault.id for fault in loaded.faults] == ["a-fault"]
    assert loaded.faults[0].category == "resource"


@pytest.mark.parametrize("wrong", REPLACED)
def test_mistake_is_named(tmp_path: Path, wrong: str) -> None:
    right, line, what, hint = REPLACED[wrong]
    with pytest.raises(InvalidFiles) as error:
        load_catalogue(folder_with(tmp_path, GOOD.replace(right, wrong)))
    told = [str(problem) for problem in error.value.problems]
    assert any(f"a-fault.yaml:{line}: " in one and what in one and hint in one for one in told), told


def test_all_mistakes_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("P1", "P9").replace("useless", "cure").replace("restart-engine", "nothing")
    with pytest.raises(InvalidFiles) as error:
        load_catalogue(folder_with(tmp_path, text))
    assert [problem.line for problem in error.value.problems] == [2, 3, 8]


def test_summary_may_not_end_with_a_number_that_may_be_missing(tmp_path: Path) -> None:
    text = GOOD.replace("{en: A sentence., zh: 一句话。}", '{en: "At {size}.", zh: "到 {size}。"}')
    with pytest.raises(InvalidFiles, match="not always known"):
        load_catalogue(folder_with(tmp_path, text))
    text = text.replace("some message", "some message {size:int}")
    (tmp_path / "other").mkdir()
    assert load_catalogue(folder_with(tmp_path / "other", text)).faults
