"""Rule and knowledge files that are wrong: nothing of them is used, and each mistake has its line."""

import shutil
from pathlib import Path

import pytest

from paramedic.knowledge import catalogue
from paramedic.knowledge.catalogue import load_catalogue
from paramedic.model.errors import InvalidFiles
from tests.e2e.bad import Case, check_words, files_of, say

WORDS = "labels: {level: P1, category: performance}\n        annotations: {summary_en: a, summary_zh: 甲}"
RULE = "groups:\n  - name: mine\n    rules:\n      - alert: my-rule\n        expr: {expr}\n        " + WORDS + "\n"
MISTAKES = """\
groups:
  - name: mine
    interval: 30s
    rules:
      - alert: MyRule
        expr: rate(vllm:x[5m]
        labels: {level: P9, category: perf}
        annotations: {summary_en: "x {{ $labels.target", sumary_zh: b}
      - alert: again
        expr: up == 0
        fro: 5m
        labels: {level: P1, category: performance}
        annotations: {summary_en: a, summary_zh: b}
      - alert: again
        expr: up == 1
        for: 5
        labels: {level: P1, category: performance}
        annotations: {summary_en: a, summary_zh: b}
      - record: x
        expr: up
  - rules: []
"""
FAULT = """\
famly: memory
level: P9
restart: cure
title: {en: A title}
summary: {en: A sentence., zh: 一句话。}
seen:
  - log: "..."
  - logs: "x"
  - {log: "some message", stages: [lodaing]}
  - metrics: ["rate("]
remedies: [restart-engin]
"""


def rule(expr: str) -> Case:
    return Case("check mine.yml", 2, {"mine.yml": RULE.replace("{expr}", expr)})


CASES = {
    "mistakes": Case("check mine.yml", 2, {"mine.yml": MISTAKES}),
    "no-yaml": Case("check mine.yml", 2, {"mine.yml": "groups: [\n"}),
    "empty": Case("check mine.yml", 2, {"mine.yml": ""}),
    "text": Case("check mine.yml", 2, {"mine.yml": "up == 0\n"}),
    "binary": Case("check mine.yml", 2, {"mine.yml": bytes(range(256))}),
    "absent": Case("check mein.yml", 2, {"mine.yml": ""}),
    "empty-folder": Case("check rules", 2, {"rules/": ""}),
    "unknown-function": rule("quantile_over_tim(0.5, up[5m]) > 1"),
    "not-supported": rule("double_exponential_smoothing(up[5m], 0.5, 0.5) > 1"),
    "no-vector": rule("up[5m]"),
    "twice-in-two-files": Case(
        "check rules",
        2,
        {"rules/a.yml": RULE.replace("{expr}", "up == 0"), "rules/b.yml": RULE.replace("{expr}", "up == 1")},
    ),
    "watch": Case(
        "watch --no-discovery --no-practice --for 100ms",
        2,
        {"paramedic.yaml": "rules: [mine.yml]\n", "mine.yml": RULE.replace("{expr}", "rate(up[5m]")},
        apart=True,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_words(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said, code = say(CASES[name], tmp_path, monkeypatch)
    assert code == CASES[name].code, said
    check_words(f"rules-{name}", said, code, tmp_path)


def test_a_name_that_nobody_knows_is_told_and_is_no_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case("check mine.yml", 0, {"mine.yml": RULE.replace("{expr}", "llm:requests_runing > 9")})
    said, code = say(case, tmp_path, monkeypatch)
    assert code == 0, said
    check_words("rules-unknown-name", said, code, tmp_path)


def test_a_fault_with_a_wrong_pattern(tmp_path: Path) -> None:
    shipped = Path(catalogue.__file__).parent
    for room in ("remedies", "stages"):
        shutil.copytree(shipped / room, tmp_path / room)
    shutil.copy(shipped / "categories.yaml", tmp_path)
    (tmp_path / "faults").mkdir()
    (tmp_path / "faults" / "a-fault.yaml").write_text(FAULT, "utf-8")
    with pytest.raises(InvalidFiles) as error:
        load_catalogue(tmp_path)
    check_words("rules-fault", str(error.value), error.value.exit_code, tmp_path)


def test_every_text_is_still_said() -> None:
    assert files_of("rules") == {f"rules-{name}" for name in (*CASES, "unknown-name", "fault")}
