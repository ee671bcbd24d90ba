"""Bad input as a person gives it: a command, what is said, and the code. PARAMEDIC_WRITE_SCREENS=1 writes the words."""

import contextlib
import ctypes
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from paramedic.cli.main import main

WORDS = Path(__file__).parent / "bad_input"
SECRET = "hunter2"
_DROP_FROM_BOUNDING_SET, _DAC_OVERRIDE, _DAC_READ_SEARCH = 24, 1, 2
_UNLIKE = (  # what differs from run to run
    (re.compile(r"\b\d\d:\d\d:\d\d\b"), "HH:MM:SS"),
    (re.compile(r"\bpid \d+"), "pid N"),
    (re.compile(r"Paramedic \d+\.\d+\.\d+"), "Paramedic VERSION"),
    (re.compile(r"127\.0\.0\.1:\d{4,5}"), "127.0.0.1:PORT"),
    (re.compile(r"\bfor \d+ s\b"), "for N s"),
    (re.compile(r"已 \d+ 秒"), "已 N 秒"),
)


@dataclass(frozen=True)
class Case:
    """A command with what lies in its folder; `code` is what it must end with. `apart`: in a process of its own."""

    command: str
    code: int
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    apart: bool = False

    def prepare(self, folder: Path) -> None:
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if name.endswith("/"):
                path.mkdir()
            else:
                path.write_bytes(content.encode() if isinstance(content, str) else content)


def say(case: Case, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, int]:
    """Run it in `folder`, in this process unless it shall be apart: what stands on the terminal, and its code."""
    case.prepare(folder)
    if case.apart:
        return run(case.command, folder)
    for name in ("PARAMEDIC_CONFIG", "PARAMEDIC_DATA", "PARAMEDIC_FOR"):
        monkeypatch.delenv(name, raising=False)
    settings = {"LC_ALL": "C.UTF-8", "COLUMNS": "100", "HOME": str(folder), "PARAMEDIC_DATA": str(folder / "data")}
    for name, value in (settings | dict(case.env)).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(folder)
    screen = io.StringIO()
    with contextlib.redirect_stdout(screen), contextlib.redirect_stderr(screen), pytest.raises(SystemExit) as stop:
        main(case.command.split())
    return f"$ paramedic {case.command}\n{screen.getvalue()}", int(stop.value.code or 0)


def run(command: str, folder: Path, **options: object) -> tuple[str, int]:
    """The same in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "paramedic", *command.split()],
        cwd=folder,
        env=os.environ | {"LC_ALL": "C.UTF-8", "COLUMNS": "100", "PARAMEDIC_DATA": str(folder / "data")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
        **options,  # type: ignore[call-overload]
    )
    return f"$ paramedic {command}\n{done.stdout}", done.returncode


def without_roots_eyes() -> None:
    """In a child before its program begins: root then reads only what its file modes allow, as everybody does."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None)
        for capability in (_DAC_OVERRIDE, _DAC_READ_SEARCH):
            assert libc.prctl(_DROP_FROM_BOUNDING_SET, capability, 0, 0, 0) == 0


def check_words(name: str, said: str, code: int, folder: Path, more: Iterable[tuple[str, str]] = ()) -> None:
    """Just these words, which somebody has read; no traceback, and no secret."""
    for was, becomes in (*more, (str(folder), "FOLDER")):
        said = said.replace(was, becomes)
    for pattern, becomes in _UNLIKE:
        said = pattern.sub(becomes, said)
    said = f"{said.rstrip()}\n[exit code {code}]\n"
    assert "Traceback" not in said, said
    assert SECRET not in said
    file = WORDS / f"{name}.txt"
    if os.environ.get("PARAMEDIC_WRITE_SCREENS"):
        file.write_text(said, encoding="utf-8")
    assert said == file.read_text(encoding="utf-8")


def files_of(group: str) -> set[str]:
    """The names of a group's text files."""
    return {path.stem for path in WORDS.glob(f"{group}-*.txt")}
