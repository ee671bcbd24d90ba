"""`paramedic check`: what it prints, its document and its exit codes."""

import json
from pathlib import Path

from click.testing import CliRunner, Result

from paramedic.cli.check import command
from paramedic.cli.main import COMMANDS
from paramedic.knowledge.rulebook import load_rules

RULE = """\
groups:
  - name: mine
    rules:
      - alert: mine
        expr: llm:requests_wating > 3 and node_load1 > 4
        labels: {level: P2, category: resource}
        annotations: {summary_en: 'a', summary_zh: 'b'}
"""


def check(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command, [str(each) for each in arguments], catch_exceptions=False)


def test_what_came_with_this_version_is_sound() -> None:
    done = check()
    assert done.exit_code == 0, done.output
    assert done.output.startswith(f"Sound: {len(load_rules())} rules, ")
    assert done.output.count("\n") == 1


def test_names_that_no_vocabulary_knows_are_listed(tmp_path: Path) -> None:
    path = tmp_path / "mine.yml"
    path.write_text(RULE)
    done = check(path)
    assert done.exit_code == 0
    assert f"{path}:4: llm:requests_wating in mine (did you mean 'llm:requests_waiting'?)" in done.output
    assert f"{path}:4: node_load1 in mine\n" in done.output


def test_mistakes_are_printed_and_end_with_2(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(RULE.replace("P2", "P7"))
    (tmp_path / "b.yml").write_text(RULE.replace("llm:requests_wating", "rat(up[5m])"))
    done = check(tmp_path)
    assert done.exit_code == 2
    assert "Mistakes: 2" in done.stderr
    assert f"{tmp_path}/a.yml:6: level cannot be 'P7'" in done.stderr
    assert f"{tmp_path}/b.yml:5: unknown function with name 'rat' (did you mean 'rate'?)" in done.stderr


def test_json_is_one_document(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(RULE)
    (tmp_path / "b.yml").write_text("groups: 3\n")
    done = check(tmp_path, "--json")
    assert done.exit_code == 2
    document = json.loads(done.stdout)
    (rule,) = document["rules"]
    assert (rule["id"], rule["level"], rule["names"]) == ("mine", "P2", ["llm:requests_wating", "node_load1"])
    assert [each["name"] for each in document["unknown_names"]] == ["llm:requests_wating", "node_load1"]
    assert document["problems"] == [
        {"file": str(tmp_path / "b.yml"), "line": 1, "text": "groups must be a list", "hint": ""}
    ]


def test_a_file_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    assert check(tmp_path / "none.yml").exit_code == 2


def test_help() -> None:
    assert command.short_help == COMMANDS["check"]
    assert "Examples:" in check("--help").output
