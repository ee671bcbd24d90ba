import os
import subprocess
from pathlib import Path

import pytest

from paramedic.adapters.logs import file_log
from paramedic.adapters.logs.file_log import BURST, FileLog
from paramedic.adapters.logs.of_process import log_of_process
from paramedic.ports import LogChunk


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "engine.log"


def add(path: Path, text: str | bytes) -> None:
    with path.open("ab") as out:
        out.write(text if isinstance(text, bytes) else text.encode())


def numbered(chunk: LogChunk) -> list[tuple[int, str]]:
    return list(enumerate(chunk.lines, chunk.first_line))


def test_only_whole_lines_are_given_and_each_once(path: Path) -> None:
    log = FileLog(path)
    assert log.new_lines() == LogChunk(str(path), 1, ())
    add(path, "one\ntw")
    assert numbered(log.new_lines()) == [(1, "one")]
    assert numbered(log.new_lines()) == []
    add(path, "o\r\n\nfour\n")
    assert numbered(log.new_lines()) == [(2, "two"), (3, ""), (4, "four")]
    log.close()


def test_the_tail_has_the_torn_last_line_and_right_numbers_wherever_reading_stands(path: Path) -> None:
    add(path, "one\ntwo\nthree\nfour")
    for read_first in (False, True):
        log = FileLog(path)
        if read_first:
            log.new_lines()
        assert numbered(log.tail(1000)) == [(1, "one"), (2, "two"), (3, "three"), (4, "four")]
        assert numbered(log.tail(11)) == [(3, "three"), (4, "four")]  # a line that is cut is left out
        assert numbered(log.tail(10)) == [(3, "three"), (4, "four")]
        assert numbered(log.tail(9)) == [(4, "four")]
        assert numbered(log.tail(2)) == []
        log.close()
    assert FileLog(path.with_name("absent")).tail(10).lines == ()


def test_a_renamed_log_is_read_to_its_end_before_the_new_one(path: Path) -> None:
    log = FileLog(path)
    add(path, "old 1\n")
    log.new_lines()
    add(path, "old 2\n")
    path.rename(path.with_suffix(".1"))
    assert numbered(log.new_lines()) == [(2, "old 2")]
    assert numbered(log.new_lines()) == []
    add(path, "new 1\nnew 2\n")
    assert numbered(log.tail(100)) == [(1, "new 1"), (2, "new 2")]
    assert numbered(log.new_lines()) == [(1, "new 1"), (2, "new 2")]
    log.close()


def test_an_emptied_log_begins_again_also_when_it_has_grown_beyond_the_old_place(path: Path) -> None:
    log = FileLog(path)
    add(path, "first run, line 1\nfirst run, line 2\n")
    log.new_lines()
    os.truncate(path, 0)
    assert numbered(log.new_lines()) == []
    add(path, "second\n")
    assert numbered(log.new_lines()) == [(1, "second")]
    os.truncate(path, 0)
    add(path, "third run, which writes much more than the second did\nmore\n")
    assert [line for _, line in numbered(log.new_lines())][-1] == "more"
    assert numbered(log.tail(5)) == [(2, "more")]
    log.close()


def test_a_burst_gives_its_end_with_the_right_numbers(path: Path) -> None:
    log = FileLog(path)
    count = 3 * BURST // 16
    add(path, "".join(f"line {number:10d}\n" for number in range(1, count + 1)))
    given = numbered(log.new_lines())
    assert given[-1] == (count, f"line {count:10d}")
    assert all(line == f"line {number:10d}" for number, line in given)
    assert 0.9 * BURST < 16 * len(given) <= BURST
    add(path, "after\n")
    assert numbered(log.new_lines()) == [(count + 1, "after")]
    log.close()


def test_a_huge_old_log_is_counted_in_parts_so_that_nobody_waits(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_log, "COUNTED", BURST)
    add(path, b"x" * 15 + b"\n")
    add(path, (b"y" * 15 + b"\n") * (3 * BURST // 16))
    log = FileLog(path)
    given = [numbered(log.new_lines()) for _ in range(4)]
    assert given[0] == given[1] == []
    assert given[2][-1][0] == 3 * BURST // 16 + 1
    assert given[3] == []
    log.close()


def test_a_line_without_end_holds_up_nobody(path: Path) -> None:
    log = FileLog(path)
    add(path, "one\n")
    log.new_lines()
    for _ in range(3):
        add(path, b"z" * BURST)
        assert log.new_lines().lines == ()
    add(path, "end\nthree\n")
    lines = numbered(log.new_lines())
    assert [number for number, _ in lines] == [2, 3]
    assert lines[0][1].endswith("zend") or lines[0][1] == "end"
    assert lines[1][1] == "three"
    log.close()


def test_bytes_that_are_no_text_and_holes_do_not_disturb(path: Path) -> None:
    log = FileLog(path)
    add(path, b"\0\0\0ok \xff\xfe\n\xe4\xb8\xad\n")
    assert log.new_lines().lines == ("ok ��", "中")
    log.close()


def test_a_folder_or_a_forbidden_file_has_no_lines(tmp_path: Path) -> None:
    assert FileLog(tmp_path).new_lines().lines == ()
    assert FileLog(tmp_path / "absent" / "x").new_lines().lines == ()


def test_the_log_of_a_process_is_the_file_behind_its_output(tmp_path: Path) -> None:
    for stream in ("stdout", "stderr"):
        file = tmp_path / f"{stream}.log"
        streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with file.open("wb") as out:
            child = subprocess.Popen(["/bin/sleep", "60"], **{**streams, stream: out})  # type: ignore[call-overload]
        try:
            assert log_of_process(child.pid) == str(file)
            file.unlink()
            assert log_of_process(child.pid) is None
        finally:
            child.kill()
            child.wait()
    assert log_of_process(child.pid) is None
