"""Alerts over time: for, keep_firing_for, labels, restarts of the daemon."""

from hypothesis import given, settings
from hypothesis import strategies as st

from paramedic.model.alert import Alert
from paramedic.model.level import Category, Level
from paramedic.model.sample import label_set
from paramedic.model.text import Text
from paramedic.rules.judge import ADOPTION_GRACE_MS, Fired, Judge, Resolved
from paramedic.rules.lifecycle import Phase
from paramedic.rules.rule import Rule
from paramedic.rules.template import parse_template
from paramedic.signals.evaluate import Vector
from paramedic.signals.promql import parse

A = [(label_set("up", target="a"), 7.0)]
B = [(label_set("up", target="b"), 8.0)]


def rule(for_s: float = 0, keep_s: float = 0, **labels: str) -> Rule:
    return Rule(
        id="some-rule",
        expression=parse("up > 0"),
        level=Level.P1,
        category=Category.RESOURCE,
        summary_en=parse_template("{{ $labels.target }}: {{ $value }}"),
        summary_zh=parse_template("{{ $labels.target }}：{{ $value }}"),
        for_s=for_s,
        keep_firing_for_s=keep_s,
        labels={name: parse_template(text) for name, text in labels.items()},
        runbook="some-rule",
    )


class Life:
    """A rule over time; `at` gives what is told at a second, shortened to `+a` and `-a`."""

    def __init__(self, judged: Rule) -> None:
        self.rule = judged
        self.judge = Judge([judged])
        self.names: dict[str, str] = {}

    def at(self, second: float, vector: Vector | float) -> list[str]:
        told = []
        for each in self.judge.judge_rule(self.rule, vector, int(second * 1000)):
            if isinstance(each, Fired):
                self.names[each.alert.id] = each.alert.target
                told.append(f"+{each.alert.target}")
            else:
                told.append(f"-{self.names[each.alert_id]}")
        return told


def test_without_for_it_fires_at_once_and_once() -> None:
    life = Life(rule())
    assert life.at(0, A) == ["+a"]
    assert life.at(5, A) == []
    assert life.at(10, []) == ["-a"]
    assert life.at(15, []) == []
    assert life.at(20, A) == ["+a"]


def test_for_means_without_a_break() -> None:
    life = Life(rule(for_s=10))
    assert life.at(0, A) == []
    assert life.at(9, A) == []
    assert life.at(9.5, []) == []
    assert life.at(10, A) == []
    assert life.at(19.9, A) == []
    assert life.at(20, A) == ["+a"]


def test_keep_firing_for_bridges_a_gap() -> None:
    life = Life(rule(keep_s=10))
    assert life.at(0, A) == ["+a"]
    assert life.at(5, []) == []
    assert life.at(14, A) == []
    assert life.at(20, []) == []
    assert life.at(29, []) == []
    assert life.at(30, []) == ["-a"]


def test_each_label_set_lives_by_itself() -> None:
    life = Life(rule(for_s=5))
    assert life.at(0, A) == []
    assert life.at(3, A + B) == []
    assert life.at(5, A + B) == ["+a"]
    assert life.at(8, B) == ["+b", "-a"]


def test_a_rule_that_is_not_judged_does_not_change() -> None:
    life = Life(rule(for_s=10))
    life.at(0, A)
    assert life.at(60, A) == ["+a"]  # what happened in between is not known; it holds at both ends


def test_a_number_fires_without_labels() -> None:
    assert Life(rule()).at(0, 1.0) == ["+"]


def test_what_an_alert_says() -> None:
    judged = rule(team="{{ $labels.target }}-owners")
    (fired,) = Judge([judged]).judge_rule(judged, A, 0)
    assert isinstance(fired, Fired)
    alert = fired.alert
    assert alert.id.startswith("some-rule-")
    assert alert.labels == (("target", "a"), ("team", "a-owners"))
    assert (alert.summary.en, alert.summary.zh) == ("a: 7", "a：7")
    assert (alert.level, alert.category, alert.value, alert.runbook) == (Level.P1, Category.RESOURCE, 7.0, "some-rule")


def test_the_id_stays_when_value_level_and_words_change() -> None:
    (first,) = Judge([rule()]).judge_rule(rule(), A, 0)
    (second,) = Judge([rule()]).judge_rule(rule(team="x"), [(A[0][0], 99.0)], 0)
    assert isinstance(first, Fired)
    assert isinstance(second, Fired)
    assert first.alert.id == second.alert.id


def fired_alert() -> Alert:
    (fired,) = Judge([rule()]).judge_rule(rule(), A, 0)
    assert isinstance(fired, Fired)
    return fired.alert


def test_an_adopted_alert_is_not_fired_again_and_is_over_only_after_a_look() -> None:
    alert = fired_alert()
    judge = Judge([rule()])
    assert judge.adopt([alert]) == []
    start = 10**9
    assert judge.judge_rule(rule(), [], start) == []  # nothing seen yet is no proof that it is over
    assert judge.judge_rule(rule(), A, start + 5000) == []
    assert judge.judge_rule(rule(), [], start + ADOPTION_GRACE_MS) == [
        Resolved(alert.id, Text("its condition holds no longer", "条件不再成立"))
    ]


def test_what_nobody_saw_counts_neither_for_an_alert_nor_against_it() -> None:
    pending, firing = rule(for_s=60), rule(keep_s=10)
    judge = Judge([pending])
    assert judge.judge_rule(pending, A, 0) == []
    judge.unseen(300)
    assert judge.judge_rule(pending, A, 310_000) == []
    assert len(judge.judge_rule(pending, A, 360_000)) == 1

    judge = Judge([firing])
    assert len(judge.judge_rule(firing, A, 0)) == 1
    judge.unseen(-3600)
    now = 5000 - 3_600_000
    assert judge.judge_rule(firing, [], now) == []
    assert judge.judge_rule(firing, [], now + ADOPTION_GRACE_MS - 1) == []
    assert len(judge.judge_rule(firing, [], now + ADOPTION_GRACE_MS)) == 1


def test_an_alert_whose_rule_is_gone_is_resolved() -> None:
    (resolved,) = Judge([]).adopt([fired_alert()])
    assert "exists no longer" in resolved.reason.en


@given(
    st.lists(st.tuples(st.integers(1, 20), st.booleans(), st.booleans()), max_size=40),
    st.integers(0, 30),
    st.integers(0, 30),
)
@settings(deadline=None)
def test_firing_and_resolving_alternate_and_phases_agree(
    ticks: list[tuple[int, bool, bool]], for_s: int, keep_s: int
) -> None:
    life = Life(rule(for_s=for_s, keep_s=keep_s))
    firing: set[str] = set()
    now = held_since = 0
    for wait, a_holds, b_holds in ticks:
        now += wait
        held_since = held_since if a_holds else now
        for word in life.at(now, (A if a_holds else []) + (B if b_holds else [])):
            name = word[1:]
            assert (name in firing) is (word[0] == "-")
            firing ^= {name}
            assert word != "+a" or now - held_since >= for_s
        phases = {key: phase for key, phase in life.judge.phases() if phase is not Phase.PENDING}
        assert {life.names[key] for key in phases} == firing
