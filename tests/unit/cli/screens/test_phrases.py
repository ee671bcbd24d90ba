"""What the watcher and the recovery say of a state is Chinese for a Chinese reader."""

import ast
import inspect

import pytest

from paramedic.cli.screens.phrases import phrase, step
from paramedic.signals import liveness


def reasons_of_states() -> set[str]:
    """Every sentence that stands beside a state in the watcher's decisions; numbers and words filled in."""
    found = set()
    for node in ast.walk(ast.parse(inspect.getsource(liveness))):
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple) and len(node.value.elts) == 2:
            sentence = node.value.elts[1]
            if isinstance(sentence, ast.IfExp):
                sentence = sentence.body
            if isinstance(sentence, ast.Constant | ast.JoinedStr):
                found.add(_filled(sentence))
    return found - {""}


def _filled(sentence: ast.Constant | ast.JoinedStr) -> str:
    if isinstance(sentence, ast.Constant):
        return str(sentence.value)
    parts = [part.value if isinstance(part, ast.Constant) else _value(part) for part in sentence.values]
    return "".join(str(part) for part in parts)


def _value(part: ast.expr) -> str:
    return "answers nothing" if isinstance(part, ast.FormattedValue) and ast.unparse(part.value) == "what" else "42"


def test_the_watcher_says_something() -> None:
    assert len(reasons_of_states()) > 8


@pytest.mark.parametrize("sentence", sorted(reasons_of_states()))
def test_every_reason_of_a_state_has_chinese_words(sentence: str) -> None:
    assert phrase(sentence, "en") == sentence
    assert phrase(sentence, "zh") != sentence
    assert phrase(sentence, "zh").isascii() is False


def test_figures_are_kept() -> None:
    said = "serving again after 39.8 s (start to ready 35.1 s), verified by a token"
    assert phrase(said, "zh") == "39.8 秒后恢复服务（启动到就绪 35.1 秒），已用 token 验证"


def test_codes_have_words_in_both_languages() -> None:
    assert step("evidence-saved", "en") == "evidence saved"
    assert (step("stopped", "zh"), phrase("stopped", "zh")) == ("旧进程已结束", "已停止")
    assert step("a-step-of-tomorrow", "zh") == "a-step-of-tomorrow"
    assert phrase("kv-cache", "zh") == "分配 KV 缓存"
    assert phrase("start_failed", "en") == "start failed"


def test_what_is_not_known_stays() -> None:
    assert phrase("SIGTERM was enough", "zh") == "SIGTERM was enough"
