"""Dataclasses to plain data and back."""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paramedic.journal.plain import from_plain, to_plain
from paramedic.model.finding import Diagnosis
from paramedic.pipeline.board import Board
from tests.fakes.night import CORE_DIED
from tests.unit.journal.events_made_up import of_type


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True)
class Leaf:
    name: str
    colour: Colour = Colour.RED


@dataclass(frozen=True)
class Tree:
    leaves: tuple[Leaf, ...]
    pair: tuple[str, int]
    best: Leaf | None = None
    named: tuple[tuple[str, str], ...] = ()


TREE = Tree((Leaf("a"), Leaf("b")), ("x", 1), Leaf("best"), (("k", "v"),))


def test_it_becomes_what_json_knows() -> None:
    plain = to_plain(TREE)
    assert plain["leaves"][0] == {"name": "a", "colour": "red"}
    assert plain == json.loads(json.dumps(plain))


def test_it_comes_back() -> None:
    assert from_plain(Tree, to_plain(TREE)) == TREE
    assert from_plain(Tree, json.loads(json.dumps(to_plain(Tree((), ("x", 1)))))) == Tree((), ("x", 1))


@settings(max_examples=40, deadline=None)
@given(of_type(Diagnosis, st.text()) | of_type(Board, st.text()))
def test_what_a_daemon_sends_comes_back(value: object) -> None:
    assert from_plain(type(value), json.loads(json.dumps(to_plain(value)))) == value


def test_dicts_and_lists_are_walked() -> None:
    assert to_plain({"a": [Leaf("x")], "b": 1.5}) == {"a": [{"name": "x", "colour": "red"}], "b": 1.5}


def test_unknown_keys_are_ignored_and_missing_ones_take_their_default() -> None:
    assert from_plain(Leaf, {"name": "a", "new": 1}) == Leaf("a")


@pytest.mark.parametrize(
    ("kind", "data", "error"),
    [
        (Leaf, {}, TypeError),
        (Leaf, {"name": "a", "colour": "blue"}, ValueError),
        (Tree, {"leaves": 7, "pair": ["x", 1]}, TypeError),
        (Tree, {"leaves": [], "pair": ["x"]}, ValueError),
        (Leaf, None, TypeError),
    ],
)
def test_what_cannot_be_read_is_an_error(kind: type, data: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        from_plain(kind, data)


def test_a_diagnosis_keeps_its_evidence() -> None:
    assert from_plain(Diagnosis, to_plain(CORE_DIED)) == CORE_DIED
