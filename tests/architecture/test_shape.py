"""The house stays small and clear: sizes, layers, one crash barrier, both languages."""

import ast
import functools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "paramedic"
MODULES = sorted(SOURCE.rglob("*.py"))
LINES_IN_A_FILE, LINES_IN_A_FUNCTION, WORTH_A_LOOK = 400, 60, 40
BARRIERS = {"pipeline/barrier.py", "cli/main.py"}  # a unit of work; a command


def place(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


@functools.cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def functions(module: ast.Module) -> Iterator[tuple[str, int]]:
    """Each function's name and its lines, without its docstring."""
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if ast.get_docstring(node) is not None:
                lines -= (node.body[0].end_lineno or 0) - node.body[0].lineno + 1
            yield node.name, lines


def is_broad(handler: ast.ExceptHandler) -> bool:
    """It catches everything, and does not pass it on."""
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    names = {kind.id if isinstance(kind, ast.Name) else "" for kind in caught if kind is not None}
    last = handler.body[-1]
    passed_on = isinstance(last, ast.Raise) and last.exc is None
    return (handler.type is None or bool(names & {"Exception", "BaseException"})) and not passed_on


def test_layers_are_what_the_design_says() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", MODULES, ids=place)
def test_module_is_small_and_opens_with_a_sentence(path: Path) -> None:
    module = tree(path)
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LINES_IN_A_FILE
    assert ast.get_docstring(module), f"{place(path)} needs a docstring: one sentence in the domain's words"
    assert not any("utils" in part or "helpers" in part for part in path.relative_to(SOURCE).parts)
    long = {name: lines for name, lines in functions(module) if lines > WORTH_A_LOOK}
    for name, lines in long.items():
        print(f"{place(path)}: {name} has {lines} lines")
    assert all(lines <= LINES_IN_A_FUNCTION for lines in long.values()), long


@pytest.mark.parametrize("path", [path for path in MODULES if place(path) not in BARRIERS], ids=place)
def test_only_the_barriers_catch_everything(path: Path) -> None:
    broad = [node.lineno for node in ast.walk(tree(path)) if isinstance(node, ast.ExceptHandler) and is_broad(node)]
    assert not broad, f"{place(path)}: lines {broad} catch everything; only {sorted(BARRIERS)} may"


def in_the_other_language(key: str) -> str:
    """The twin of a key that holds text: en and zh, summary_en and summary_zh; empty for other keys."""
    stem, _, language = key.rpartition("_")
    other = {"en": "zh", "zh": "en"}.get(language, "")
    return other and (f"{stem}_{other}" if stem else other)


def languages_missing(node: object, trail: str = "") -> Iterator[str]:
    """Where a mapping has a text in one of the languages but not in the other."""
    if isinstance(node, dict):
        for key, value in node.items():
            twin = in_the_other_language(str(key))
            if twin and not str(node.get(twin) or "").strip():
                yield f"{trail}{twin}"
            yield from languages_missing(value, f"{trail}{key}.")
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from languages_missing(value, f"{trail}{number}.")


# blank/ holds forms that an author fills in
WRITTEN = sorted(path for path in SOURCE.rglob("*.y*ml") if path.parent.name != "blank")


@pytest.mark.parametrize("path", WRITTEN, ids=place)
def test_texts_exist_in_both_languages(path: Path) -> None:
    assert list(languages_missing(yaml.safe_load(path.read_text(encoding="utf-8")))) == []


def test_a_text_in_one_language_would_be_seen() -> None:
    document = {"title": {"en": "x"}, "list": [{"summary_zh": "好"}]}
    assert list(languages_missing(document)) == ["title.zh", "list.0.summary_en"]
