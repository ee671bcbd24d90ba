"""Logs that are no logs, or too much of one: an answer in bounded memory, from the whole of it."""

import gzip
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.bad import Case, check_words, files_of, run, say, without_roots_eyes

LOGS = Path(__file__).parents[1] / "recordings" / "logs" / "vllm-0.26-h100"
FAULT = (LOGS / "f04-kv-too-small.log").read_bytes()
WELL = (LOGS / "p1-default.log").read_bytes()
PACKED = gzip.compress(WELL, mtime=0)
MB = 1024 * 1024
LINE_END = b"\n"
DEATH = b"[shutdown] MPClient: engine core exited unexpectedly; starting cleanup\n"
NOISE = b"x" * 99 + b"\n"
MEMORY_KB = 150_000  # of a diagnosis of two gigabytes

CASES = {
    "empty": Case("diagnose server.log", 3, {"server.log": ""}),
    "blank": Case("diagnose server.log", 3, {"server.log": "\0" * 5000 + "\n \n"}),
    "binary": Case("diagnose server.log", 3, {"server.log": bytes(range(256)) * 400}),
    "another-program": Case("diagnose server.log", 3, {"server.log": "GET / 200\nGET /x 404\n" * 50}),
    "folder": Case("diagnose logs", 2, {"logs/notes.md": "x"}),
    "absent": Case("diagnose sever.log", 2, {"server.log": "x"}),
    "packed-cut": Case("diagnose server.log.gz", 2, {"server.log.gz": PACKED[:-2000]}),
    "packed-damaged": Case(
        "diagnose server.log.gz", 2, {"server.log.gz": PACKED[:3000] + b"\xff" * 9 + PACKED[3009:]}
    ),
    "some-of-many": Case("diagnose good.log absent.log logs bad.gz", 2, {
        "good.log": WELL, "logs/": "", "bad.gz": b"\x1f\x8b rubbish"
    }),
    "none": Case("diagnose", 2),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_words(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said, code = say(CASES[name], tmp_path, monkeypatch)
    assert code == CASES[name].code, said
    check_words(f"log-{name}", said, code, tmp_path)


def test_a_log_that_may_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "server.log").write_bytes(WELL)
    (tmp_path / "server.log").chmod(0)
    said, code = run("diagnose server.log", tmp_path, preexec_fn=without_roots_eyes)
    assert code == 2
    check_words("log-unreadable", said, code, tmp_path)


def measured(folder: Path, name: str) -> tuple[str, int, int]:
    """What `diagnose` says, its code, and the most memory that it had (KB)."""
    command = [sys.executable, "-m", "paramedic", "diagnose", name]
    environment = os.environ | {"LC_ALL": "C.UTF-8"}
    out = folder / "said"
    with out.open("wb") as file:
        child = subprocess.Popen(command, cwd=folder, stdout=file, stderr=subprocess.STDOUT, env=environment)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    return f"$ paramedic diagnose {name}\n{out.read_text('utf-8')}", child.returncode, usage.ru_maxrss


def test_a_hole_of_two_gigabytes_is_read_through(tmp_path: Path) -> None:
    """A healthy start, a log that was emptied while it was written, and a word at the end."""
    with (tmp_path / "server.log").open("wb") as file:
        file.write(WELL)
        file.truncate(2048 * MB)
        file.seek(0, os.SEEK_END)
        file.write(b"\n" + WELL.splitlines(keepends=True)[-1])
    said, code, memory = measured(tmp_path, "server.log")
    assert memory < MEMORY_KB
    assert code == 0, said
    check_words("log-two-gigabytes", said, code, tmp_path)


def test_a_packed_log_that_grows_out_of_all_bounds(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "server.log.gz", "wb", compresslevel=1) as file:
        for _ in range(120):
            file.write(NOISE * (MB // 100))
    said, code, memory = measured(tmp_path, "server.log.gz")
    assert memory < MEMORY_KB
    assert code == 3, said
    check_words("log-packed-huge", said, code, tmp_path)


def test_a_fault_far_down_is_found_on_its_line(tmp_path: Path) -> None:
    """Behind 100 MB of ordinary lines, which nobody leaves out."""
    quiet = b'(APIServer pid=505) INFO:     127.0.0.1:4711 - "POST /v1/chat/completions HTTP/1.1" 200 OK\n'
    healthy = WELL[: WELL.index(LINE_END, WELL.index(b"Application startup complete")) + 1]
    times = 100 * MB // len(quiet)
    with (tmp_path / "server.log").open("wb") as file:
        file.write(healthy)
        for _ in range(100):
            file.write(quiet * (times // 100))
        file.write(b"(APIServer pid=505) WARNING 11-23 10:00:00 [core_client.py:817] " + DEATH)
    said, code, memory = measured(tmp_path, "server.log")
    assert code == 1, said
    assert f"server.log:{healthy.count(LINE_END) + times // 100 * 100 + 1}" in said
    assert memory < 150_000


def test_every_text_is_still_said() -> None:
    assert files_of("log") == {f"log-{name}" for name in (*CASES, "unreadable", "two-gigabytes", "packed-huge")}
