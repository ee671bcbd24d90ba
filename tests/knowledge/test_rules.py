"""Every shipped rule: valid for Prometheus, proven by its own examples, silent on a healthy recording."""

import gzip
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from paramedic.adapters.storage.samples_memory import MemorySamples
from paramedic.knowledge.lexicon import load_vocabulary
from paramedic.knowledge.rulebook import SHIPPED, load_rules, unknown_names
from paramedic.model.alert import Alert
from paramedic.model.sample import LabelSet, Scrape, label_set
from paramedic.rules.judge import Fired, Judge, make_alert
from paramedic.rules.rule import Rule
from paramedic.signals.evaluate import Evaluator, Vector
from paramedic.signals.expression import Aggregate, Binary, Call, Negate, Node, Selector, Subquery, Window
from paramedic.signals.functions import FUNCTIONS
from paramedic.signals.functions.aggregate import AGGREGATIONS
from paramedic.signals.promql import parse

PROOFS = Path(__file__).parent / "rules"
RECORDINGS = Path(__file__).parents[1] / "recordings"
RUNBOOKS = SHIPPED.parent / "runbooks"
RULES = load_rules()
BY_ID = {rule.id: rule for rule in RULES}
FILES = sorted(SHIPPED.glob("*.yml"))
SCALE = {"s": 1000, "m": 60_000, "h": 3_600_000}
each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)


def run_promtool(*arguments: str | Path) -> None:
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("promtool is not installed: apt-get install prometheus")
    done = subprocess.run([found, *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_one_file_one_group_one_rule_one_name() -> None:
    assert {path.stem for path in FILES} == set(BY_ID)
    for path in FILES:
        (group,) = yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
        assert group["name"] == path.stem
        assert [each["alert"] for each in group["rules"]] == [path.stem]


@each_rule
def test_rule_has_proof_and_runbook(rule: Rule) -> None:
    assert (PROOFS / f"{rule.id}.yml").exists()
    assert rule.runbook == rule.id
    text = (RUNBOOKS / f"{rule.id}.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Meaning", "Impact", "Diagnosis", "Mitigation"]
    chinese = (RUNBOOKS / f"{rule.id}.zh.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (.+)$", chinese, re.MULTILINE) == ["含义", "影响", "诊断", "处置"]


def test_every_name_is_in_the_vocabulary() -> None:
    assert unknown_names(RULES, load_vocabulary()) == []


def windows(node: Node) -> Iterator[int]:
    match node:
        case Window(range_ms=size):
            yield size
        case Subquery(range_ms=size, expr=expr):
            yield size
            yield from windows(expr)
        case Aggregate(expr=expr) | Negate(expr=expr):
            yield from windows(expr)
        case Binary(lhs=lhs, rhs=rhs):
            yield from windows(lhs)
            yield from windows(rhs)
        case Call(args=args):
            for arg in args:
                yield from windows(arg)


@each_rule
def test_windows_hold_at_a_scrape_interval_of_15_s(rule: Rule) -> None:
    assert all(size >= 60_000 for size in windows(rule.expression.root))


def test_promtool_accepts_the_files() -> None:
    run_promtool("check", "rules", *FILES)


def test_promtool_accepts_the_proofs(tmp_path: Path) -> None:
    for path in (*FILES, *PROOFS.glob("*.yml")):
        shutil.copy(path, tmp_path / (path.name if path.parent == SHIPPED else f"proof-{path.name}"))
    proofs = sorted(tmp_path.glob("proof-*.yml"))
    run_promtool("test", "rules", *proofs)


def milliseconds(text: str) -> int:
    return sum(int(number) * SCALE[unit] for number, unit in re.findall(r"(\d+)([smh])", text))


def expand(notation: str) -> list[float | None]:
    """promtool's notation: `1+2x3` is 1 3 5 7, `4x2` is 4 4 4, `_x2` is two gaps."""
    values: list[float | None] = []
    for word in notation.split():
        gap = re.fullmatch(r"_(?:x(\d+))?", word)
        if gap:
            values.extend([None] * int(gap[1] or 1))
            continue
        start, step, times = re.fullmatch(r"(-?[\d.]+)([+-][\d.]+)?(?:x(\d+))?", word).groups()  # type: ignore[union-attr]
        values.extend(float(start) + index * float(step or 0) for index in range(int(times or 0) + 1))
    return values


def labels_of(selector: str) -> LabelSet:
    root = parse(selector).root
    assert isinstance(root, Selector)
    return label_set(root.name, {each.name: each.value for each in root.matchers})


def samples_of(proof: dict[str, Any]) -> MemorySamples:
    interval = milliseconds(proof["interval"])
    series = [(labels_of(each["series"]), expand(each["values"])) for each in proof["input_series"]]
    samples = MemorySamples()
    for index in range(max(len(values) for _, values in series)):
        for labels, values in series:  # a source each: a series that is at its end is not stale, as in promtool
            value = values[index] if index < len(values) else None
            if value is not None:
                samples.append(Scrape(str(labels), index * interval * 1_000_000, [labels], [value]))
    return samples


def firing_at(rule: Rule, samples: MemorySamples, step_ms: int, until_ms: int, compat: int) -> dict[str, Alert]:
    judge, evaluator = Judge([rule]), Evaluator(samples, compat=2 if compat == 2 else 3)
    firing: dict[str, Alert] = {}
    for now in range(0, until_ms + 1, step_ms):
        for each in judge.judge_rule(rule, evaluator.instant(rule.expression, now), now):
            if isinstance(each, Fired):
                firing[each.alert.id] = each.alert
            else:
                del firing[each.alert_id]
    return firing_now(rule, evaluator.vector(rule.expression, until_ms), firing)


def firing_now(rule: Rule, vector: Vector, firing: dict[str, Alert]) -> dict[str, Alert]:
    """As promtool has it: with the words and the value of this moment, not of the one at which they fired."""
    now = {alert.id: alert for labels, value in vector for alert in [make_alert(rule, labels, value)]}
    return {key: now.get(key, alert) for key, alert in firing.items()}


@pytest.mark.parametrize("compat", [2, 3])
@each_rule
def test_proof_holds_on_our_own_evaluator(rule: Rule, compat: int) -> None:
    document = yaml.safe_load((PROOFS / f"{rule.id}.yml").read_text(encoding="utf-8"))
    step = milliseconds(document["evaluation_interval"])
    (proof,) = document["tests"]
    samples = samples_of(proof)
    fired = False
    for case in proof["alert_rule_test"]:
        alerts = firing_at(rule, samples, step, milliseconds(case["eval_time"]), compat)
        expected = {each["exp_labels"]["target"]: each for each in case.get("exp_alerts", [])}
        fired = fired or bool(expected)
        assert {alert.target for alert in alerts.values()} == set(expected), case["eval_time"]
        for alert in alerts.values():
            wanted = expected[alert.target]
            told = {**dict(alert.labels), "level": alert.level, "category": alert.category}
            assert told == wanted["exp_labels"]
            assert {"summary_en": alert.summary.en, "summary_zh": alert.summary.zh, "runbook": alert.runbook} == wanted[
                "exp_annotations"
            ]
    assert fired, "a proof must show the alert firing"


def replay(name: str) -> dict[str, list[str]]:
    """By rule the targets that fired at any time while a recording of a real engine was played."""
    from paramedic.signals.exposition import Parser

    samples, parser, judge = MemorySamples(), Parser({"target": "real", "job": "vllm"}), Judge(RULES)
    evaluator, fired = Evaluator(samples, load_vocabulary()), {}
    text = gzip.decompress((RECORDINGS / name).read_bytes())
    for block in re.split(rb"^# t=", text, flags=re.MULTILINE)[1:]:
        head, _, body = block.partition(b"\n")
        now = int(float(head.split()[0]) * 1000)
        read = parser.parse(body)
        assert read.bad_lines == 0
        samples.append(Scrape("engine:real", now * 1_000_000, read.series, read.values))
        for rule in RULES:
            for each in judge.judge_rule(rule, evaluator.instant(rule.expression, now), now):
                if isinstance(each, Fired):
                    fired.setdefault(rule.id, []).append(each.alert.target)
    return fired


def test_every_rule_is_silent_on_a_healthy_engine_under_load() -> None:
    assert replay("scrapes-h100-healthy.txt.gz") == {}


def test_the_recording_of_a_small_kv_cache_is_recognised() -> None:
    assert replay("scrapes-h100-preemptions.txt.gz") == {"preemptions": ["real"]}


@each_rule
def test_the_page_says_what_the_rule_does(rule: Rule) -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "rules.md").read_text(encoding="utf-8")
    row = re.search(rf"^\| \[{rule.id}\]\(.+\) \| (\w+) \| (\w+) \| (.+?) \|", page, re.MULTILINE)
    assert row is not None
    assert (row[1], row[2]) == (rule.level, rule.category)
    assert (0 if row[3] == "at once" else milliseconds(row[3])) == rule.for_s * 1000


def test_the_page_lists_what_is_implemented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "rules.md").read_text(encoding="utf-8")
    words = {*FUNCTIONS, *AGGREGATIONS, *load_vocabulary().terms}
    assert {word for word in words if f"`{word}`" not in page} == set()
