"""Logs that are no logs, or too much of one: an answer in bounded memory, and never "nothing wrong" from half of it."""

import gzip
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from paramedic.cli.log_files import HEAD, MB, TAIL, gather
from tests.e2e.bad import Case, check_words, files_of, run, say, without_roots_eyes

LOGS = Path(__file__).parents[1] / "recordings" / "logs" / "vllm-0.26-h100"
FAULT = (LOGS / "f04-kv-too-small.log").read_bytes()
WELL = (LOGS / "p1-default.log").read_bytes()
PACKED = gzip.compress(WELL, mtime=0)
NOISE = b"x" * 99 + b"\n"
MEMORY_KB = 700_000  # of a diagnosis of two gigabytes

CASES = {
    "empty": Case("diagnose server.log", 3, {"server.log": ""}),
    "blank": Case("diagnose server.log", 3, {"server.log": "\0" * 5000 + "\n \n"}),
    "binary": Case("diagnose server.log", 3, {"server.log": bytes(range(256)) * 400}),
    "another-program": Case("diagnose server.log", 3, {"server.log": "GET / 200\nGET /x 404\n" * 50}),
    "folder": Case("diagnose logs", 2, {"logs/server.log": "x"}),
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


def test_two_gigabytes_of_nothing_are_not_well(tmp_path: Path) -> None:
    """A healthy start, a hole of two gigabytes, and a word at the end."""
    with (tmp_path / "server.log").open("wb") as file:
        file.write(WELL)
        file.truncate(2048 * MB)
        file.seek(0, os.SEEK_END)
        file.write(b"\n" + WELL.splitlines(keepends=True)[-1])
    said, code, memory = measured(tmp_path, "server.log")
    assert memory < MEMORY_KB
    assert code == 3, said
    check_words("log-two-gigabytes", said, code, tmp_path)


def test_a_packed_log_that_grows_out_of_all_bounds(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "server.log.gz", "wb", compresslevel=1) as file:
        for _ in range(120):
            file.write(NOISE * (MB // 100))
    said, code, memory = measured(tmp_path, "server.log.gz")
    assert memory < MEMORY_KB
    assert code == 3, said
    check_words("log-packed-huge", said, code, tmp_path)


def blocks(data: bytes) -> Iterator[bytes]:
    yield from (data[at : at + 1000] for at in range(0, len(data), 1000))


def test_lines_keep_their_numbers_behind_what_was_left_out() -> None:
    written = [f"line {number}" for number in range(1, 30_001)]
    read = gather("x", blocks("\n".join(written).encode() + b"\n"), 20_000, 40_000)
    place, left_out = read.gap
    assert read.left_out is not None
    assert left_out > 10_000
    for index, text in enumerate(read.lines):
        number = index + 1 + (left_out if index >= place else 0)
        assert text == written[number - 1] or index == place - 1  # the head's last line is torn
    assert read.lines[-1] == written[-1]


def test_a_log_of_a_bearable_size_is_read_whole() -> None:
    written = [f"line {number}" for number in range(1, 5001)]
    read = gather("x", blocks("\n".join(written).encode()), 20_000, 60_000)
    assert (read.lines, read.gap, read.left_out) == (written, (0, 0), None)
    assert HEAD + TAIL >= 50 * MB


def test_every_text_is_still_said() -> None:
    assert files_of("log") == {f"log-{name}" for name in (*CASES, "unreadable", "two-gigabytes", "packed-huge")}
