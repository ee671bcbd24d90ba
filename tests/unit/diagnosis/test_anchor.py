"""A message's anchor stands in every line of the message, however the line is wrapped, and hardly ever elsewhere."""

import json

import pytest

from paramedic.diagnosis.anchor import choose_anchors
from paramedic.diagnosis.template import compile_template
from paramedic.knowledge.catalogue import load_catalogue
from tests.knowledge.scenes import RECORDINGS


def anchors(*texts: str) -> list[tuple[str, ...]]:
    return list(choose_anchors(tuple(compile_template(text).pieces for text in texts)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("torch.OutOfMemoryError: {what}", ("torch.OutOfMemoryError:",)),
        ("Illegal instruction (core dumped)", ("Illegal instruction",)),  # bash puts blanks between the two
        ("HW Thermal Slowdown : Active", ("HW Thermal Slowdown",)),  # and nvidia-smi before the colon
        ("EngineDeadError", ("EngineDeadError",)),
        ("Killed ... vllm", ("Killed",)),
        ('/v1/models HTTP/1.1" 401', ('HTTP/1.1" 401', 'HTTP/1.1\\" 401', "m401 ")),
        ('"x": "y"', ('"x": "y"', '\\"x\\": \\"y\\"')),
    ],
)
def test_choice(text: str, expected: tuple[str, ...]) -> None:
    assert anchors(text) == [expected]


def test_messages_share_their_anchor() -> None:
    assert set(anchors("fatal_error: Python.h is absent", "fatal_error: stdio.h is absent")) == {("fatal_error:",)}


def test_every_message_of_the_catalogue_is_found_by_its_anchor() -> None:
    """Plain, in JSON, and in JSON as docker writes it."""
    templates = load_catalogue().templates()
    for template, chosen in zip(templates, choose_anchors(tuple(each.pieces for each in templates)), strict=True):
        line = "x 17 y".join(template.pieces)
        in_docker = json.dumps(line, ensure_ascii=False).replace("<", "\\u003c").replace(">", "\\u003e")
        for written in (line, json.dumps(line), in_docker):
            assert any(anchor in written for anchor in chosen), template.text


def test_neighbouring_words_may_stand_apart() -> None:
    """Lines of a table are filled up with blanks before a colon or a bar; what is compared then is found."""
    template = compile_template("HW Slowdown : Active")
    line = "        HW Slowdown                       : Active"
    assert template.match(line) is not None
    assert any(anchor in line for anchor in choose_anchors((template.pieces,))[0])


def test_a_healthy_log_holds_few() -> None:
    templates = load_catalogue().templates()
    literals = {anchor for chosen in choose_anchors(tuple(each.pieces for each in templates)) for anchor in chosen}
    text = (RECORDINGS / "logs" / "vllm-0.26-h100" / "p1-default.log").read_text("utf-8")
    serving = [line for line in text.splitlines() if '" 200 OK' in line]
    held = [line for line in serving if any(literal in line for literal in literals)]
    assert len(serving) > 20
    assert held == []
