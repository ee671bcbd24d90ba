"""A message is matched as its author pasted it."""

import pytest

from paramedic.diagnosis.template import compile_template


def caught(template: str, line: str) -> dict[str, str] | None:
    return compile_template(template).match(line)


def test_holes_catch_what_differs() -> None:
    assert caught("model length is {fitting:int}", "estimated maximum model length is 62,656.") == {"fitting": "62656"}
    assert caught("({needed:num} GiB KV", "len (131072), (16.0 GiB KV cache") == {"needed": "16.0"}
    assert caught("error: argument {flag:word}: {why}", "x: error: argument --dtype: invalid choice: 'fp7'") == {
        "flag": "--dtype",
        "why": "invalid choice: 'fp7'",
    }


def test_fixed_words_are_whole_words() -> None:
    assert caught("dtype=torch.float32", "mamba_dtype=torch.float32") is None
    assert caught("dtype=torch.float32", "a, dtype=torch.float32, b") == {}


def test_dots_may_stand_for_nothing_and_within_a_word() -> None:
    assert caught("Free memory on device ... ({free:num}/", "Free memory on device (1.5/79") == {"free": "1.5"}
    assert caught("Free memory on device ... ({free:num}/", "Free memory on device cuda:0 (1.5/79") == {"free": "1.5"}
    assert caught("total cap... of {total}", "a total capacty of 79 GiB") == {"total": "79 GiB"}


def test_caret_means_the_message_begins_with_it() -> None:
    assert caught("^ImportError: ...", "ImportError: no") == {}
    assert caught("^ImportError: ...", "Failed with ImportError: no") is None


def test_characters_of_patterns_are_plain() -> None:
    assert caught("Failed core proc(s): {", "Failed core proc(s): {}") == {}


@pytest.mark.parametrize("template", ["{a:int} {a:int}", "{a:float} x", "...", "{a}", "^"])
def test_template_that_cannot_work_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match=r"word|twice|kind"):
        compile_template(template)


def test_a_piece_of_a_word_is_enough() -> None:
    assert compile_template("cross_device_reduce_...").match("in cross_device_reduce_1stage") == {}
