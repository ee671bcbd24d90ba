"""Log lines carry the prefix of the real server; traceback and progress lines carry none."""

import os
import re

import pytest

from paramedic.practice.log import Log


def test_lines_with_a_level_get_process_pid_and_time(capsys: pytest.CaptureFixture[str]) -> None:
    Log("EngineCore").lines("WARNING [a.py:12] it is warm\nTraceback (most recent call last):\n\nINFO: no place\n")
    first, *others = capsys.readouterr().out.splitlines()
    assert re.fullmatch(
        rf"\(EngineCore pid={os.getpid()}\) WARNING \d\d-\d\d \d\d:\d\d:\d\d \[a\.py:12\] it is warm", first
    )
    assert others == ["Traceback (most recent call last):", "", "INFO: no place"]


def test_the_missing_model_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    Log("APIServer").write("model-path-missing", model="/srv/none")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[-1].endswith("'namespace/repo_name': '/srv/none'. Use `repo_type` argument if needed.")
