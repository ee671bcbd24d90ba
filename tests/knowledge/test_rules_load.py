"""Rule files and vocabulary files: what is taken, and every mistake of all files at once with its line."""

from pathlib import Path

import pytest

from paramedic.knowledge.lexicon import load_vocabulary
from paramedic.knowledge.rulebook import SHIPPED, load_rules, read_rules, unknown_names
from paramedic.model.errors import InvalidFiles
from paramedic.model.level import Category, Level

EXPRESSION = "llm:kv_cache_usage > 0.98"
GOOD = """\
groups:
  - name: mine
    rules:
      - alert: kv-cache-full
        expr: llm:kv_cache_usage > 0.98
        for: 1h30m5s
        keep_firing_for: 1500ms
        labels: {level: P2, category: resource, team: '{{ $labels.target }}-owners'}
        annotations: {summary_en: 'full: {{ $value }}', summary_zh: '已满', runbook: x}
"""


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def mistakes(folder: Path, text: str) -> list[str]:
    path = write(folder, "mine.yml", text)
    return [str(each).replace(str(path), "mine.yml") for each in read_rules([path])[1]]


def test_a_good_file(tmp_path: Path) -> None:
    write(tmp_path, "mine.yml", GOOD)
    (rule,) = load_rules([tmp_path])
    assert (rule.id, rule.level, rule.category) == ("kv-cache-full", Level.P2, Category.RESOURCE)
    assert (rule.for_s, rule.keep_firing_for_s) == (5405, 1.5)
    assert (rule.line, Path(rule.file).name) == (4, "mine.yml")
    assert rule.labels["team"].render({"target": "a"}, 1) == "a-owners"


def test_a_later_folder_replaces_a_rule_and_adds_to_the_others(tmp_path: Path) -> None:
    write(tmp_path, "mine.yml", GOOD + GOOD.split("rules:\n")[1].replace("kv-cache-full", "server-down"))
    rules = {rule.id: rule for rule in load_rules([SHIPPED, tmp_path])}
    assert rules["server-down"].level is Level.P2
    assert len(rules) == len(load_rules()) + 1


def test_a_file_may_stand_for_a_folder(tmp_path: Path) -> None:
    assert [rule.id for rule in load_rules([write(tmp_path, "mine.yml", GOOD)])] == ["kv-cache-full"]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("kv-cache-full", "KvCacheFull", "mine.yml:4: the alert's name 'KvCacheFull' is not in kebab case (write 'kv"),
        ("alert: kv", "allert: kv", "mine.yml:4: unknown key 'allert' (did you mean 'alert'?)"),
        ("level: P2", "level: P9", "mine.yml:8: level cannot be 'P9' (one of P0, P1, P2, P3, P4)"),
        ("category: resource", "category: resourse", "mine.yml:8: category cannot be 'resourse' (did you mean 'res"),
        ("level: P2, ", "", "mine.yml:8: level is missing (one of P0, P1, P2, P3, P4)"),
        ("1h30m5s", "5 minutes", "mine.yml:6: for cannot be '5 minutes' (a duration such as 30s, 5m or 1h30m)"),
        ("for: 1h30m5s", "for: 30", "mine.yml:6: for must be text"),
        ("summary_zh: '已满', ", "", "mine.yml:9: summary_zh is missing: what is wrong, in one sentence"),
        ("{{ $value }}", "{{ $value | title }}", "mine.yml:9: the template {{ $value | title }} is not implemented"),
        (EXPRESSION, "sin(up) > 0", "mine.yml:5: the function sin() is not implemented, in the expression 'sin(up) >"),
        (EXPRESSION, "up[5m]", "mine.yml:5: a rule needs one value a series, this expression is a range of values"),
        (EXPRESSION, "", "mine.yml:5: expr must be text"),
        ("name: mine", "nam: mine", "mine.yml:2: unknown key 'nam' (did you mean 'name'?)"),
        ("    rules:", "    interval: 5s\n    rules:", "mine.yml:3: an interval is not supported"),
        ("alert: kv-cache-full", "record: a:b", "mine.yml:4: recording rules are not evaluated by Paramedic"),
        ("groups:", "group:", "mine.yml:1: unknown key 'group' (did you mean 'groups'?)"),
        ("    rules:", "    rules: 3 #", "mine.yml"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line(tmp_path: Path, before: str, after: str, expected: str) -> None:
    assert before in GOOD
    told = mistakes(tmp_path, GOOD.replace(before, after))
    assert any(each.startswith(expected) for each in told), told


def test_all_mistakes_of_all_files_at_once(tmp_path: Path) -> None:
    write(tmp_path, "a.yml", GOOD.replace("P2", "P9").replace("1h30m5s", "x"))
    write(tmp_path, "b.yml", "groups: [")
    write(tmp_path, "c.yml", GOOD.replace("llm:kv_cache_usage", "rat(up[5m])"))
    with pytest.raises(InvalidFiles) as error:
        load_rules([tmp_path])
    places = [(Path(each.file).name, each.line) for each in error.value.problems]
    assert sorted(places) == [("a.yml", 6), ("a.yml", 8), ("b.yml", 1), ("c.yml", 5)]


def test_one_name_twice_in_a_folder_is_a_mistake(tmp_path: Path) -> None:
    write(tmp_path, "a.yml", GOOD)
    write(tmp_path, "b.yml", GOOD)
    with pytest.raises(InvalidFiles, match=r"b\.yml:4: the rule 'kv-cache-full' is already there, in .*a\.yml:4"):
        load_rules([tmp_path])


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidFiles, match="there is no such file"):
        load_rules([tmp_path / "none.yml"])


@pytest.mark.parametrize(
    "text", ["", "- 1\n", "3\n", "groups: 3\n", "groups: [3]\n", "groups: [{name: x, rules: [3]}]\n"]
)
def test_what_is_no_rule_file_is_a_mistake_and_no_crash(tmp_path: Path, text: str) -> None:
    assert mistakes(tmp_path, text)


def test_names_that_no_vocabulary_knows(tmp_path: Path) -> None:
    text = GOOD.replace(
        "llm:kv_cache_usage > 0.98", "llm:kv_cache_usag > 1 or node_load1 > 1 or vllm:kv_cache_usage_perc > 1"
    )
    rules, problems = read_rules([write(tmp_path, "mine.yml", text)])
    assert problems == []
    found = {each.name: each.hint for each in unknown_names(rules, load_vocabulary())}
    assert found == {"llm:kv_cache_usag": "did you mean 'llm:kv_cache_usage'?", "node_load1": ""}


VOCABULARY = """\
engine: x
names:
  llm:a:
    kind: gauge
    raw: [x_a, 'x_b{state="awake"}']
    en: A.
    zh: 甲。
"""


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("kind: gauge", "kind: gage", "v.yaml:4: kind cannot be 'gage' (did you mean 'gauge'?)"),
        ("x_a,", "x_a + 1,", "v.yaml:5: 'x_a + 1' must be a metric name"),
        ("x_a,", "'x_a[',", "v.yaml:5: "),
        ("zh: 甲。", "zz: 甲。", "v.yaml:7: unknown key 'zz'"),
        ("llm:a", "LLM:a", "v.yaml:3: 'LLM:a' is not a name of ours"),
        ("raw: [x_a, 'x_b{state=\"awake\"}']", "raw: []", "v.yaml:5: raw needs at least one metric name"),
        ("names:", "name:", "v.yaml:1: the key names is missing"),
    ],
)
def test_a_mistake_in_the_vocabulary_is_named_with_its_line(
    tmp_path: Path, before: str, after: str, expected: str
) -> None:
    assert before in VOCABULARY
    write(tmp_path, "v.yaml", VOCABULARY.replace(before, after, 1))
    with pytest.raises(InvalidFiles) as error:
        load_vocabulary([tmp_path])
    told = [str(each).replace(f"{tmp_path}/", "") for each in error.value.problems]
    assert any(each.startswith(expected) for each in told), told


def test_two_engines_may_share_a_name(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", VOCABULARY)
    write(tmp_path, "b.yaml", VOCABULARY.replace("x_a", "y_a"))
    raw = load_vocabulary([tmp_path]).resolve("llm:a") or ()
    assert [each.name for each in raw] == ["x_a", "x_b", "y_a", "x_b"]
