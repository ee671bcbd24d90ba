"""Reading log files for a diagnosis: whole where that is bearable, else the begin and the end of each."""

import gzip
import io
import sys
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from paramedic.knowledge.yaml_file import near
from paramedic.model.errors import InvalidFiles, Problem
from paramedic.model.text import Text

MB = 1024 * 1024
HEAD, TAIL = 16 * MB, 48 * MB  # of a file that is larger than both: how it began, and how it ended
TOGETHER = 256 * MB  # of many files
BLOCK = MB
LONGEST_LINE = 64 * 1024  # characters; no message is longer, a binary file's "line" may be the whole of it
BYTE_ORDER_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}

_LEFT_OUT = Text(
    "{name} is too large to be read whole: of its {size} MB the first {head} and the last {tail} were read, and "
    "what lies between them ({lines} lines) was not. Cut out the hours that matter, and give those.",
    "{name} 太大，没有全部读取：共 {size} MB，只读了开头 {head} MB 和结尾 {tail} MB，中间 {lines} 行未读。"
    "请截取相关时段再诊断。",
)


@dataclass(frozen=True, slots=True)
class LogText:
    """What was read of a log. `gap`: (index, lines), so many lines were left out before lines[index]."""

    name: str
    lines: list[str]
    gap: tuple[int, int] = (0, 0)
    left_out: Text | None = None  # the sentence that says so


def read_logs(paths: Sequence[Path]) -> list[LogText]:
    """Every file, `-` is standard input. Every one that cannot be read is named at once: InvalidFiles."""
    logs: list[LogText] = []
    problems: list[Problem] = []
    wanted = list(dict.fromkeys(paths))
    share = min(1.0, TOGETHER / (HEAD + TAIL) / len(wanted))
    for path in wanted:
        name = "stdin" if str(path) == "-" else str(path)
        try:
            with ExitStack() as stack:
                stream = sys.stdin.buffer if name == "stdin" else stack.enter_context(path.open("rb"))
                logs.append(gather(name, _blocks(stream), int(HEAD * share), int(TAIL * share)))
        except IsADirectoryError:
            problems.append(Problem(name, 0, "is a folder", "give the log file in it"))
        except FileNotFoundError as error:
            problems.append(Problem(name, 0, f"cannot be read: {error.strerror}", near(path)))
        except (gzip.BadGzipFile, EOFError, zlib.error):
            problems.append(
                Problem(name, 0, "its packing is damaged or cut off", f"try: zcat {name} | paramedic diagnose -")
            )
        except OSError as error:
            problems.append(Problem(name, 0, f"cannot be read: {error.strerror}"))
    if problems:
        raise InvalidFiles(problems)
    return logs


def gather(name: str, blocks: Iterator[bytes], head_size: int, tail_size: int) -> LogText:
    """The lines of a log that comes in blocks; never more in memory than its head, its tail and a block."""
    head = bytearray()
    tail: deque[bytes] = deque()
    kept = size = dropped = 0
    cut = False
    for block in blocks:
        size += len(block)
        if len(head) < head_size and not tail:
            head += block
            continue
        tail.append(block)
        kept += len(block)
        while kept - len(tail[0]) >= tail_size:
            lost = tail.popleft()
            kept -= len(lost)
            dropped += lost.count(b"\n")
            cut = True
    end = b"".join(tail)
    if not cut:
        return LogText(name, _lines(bytes(head) + end))
    first = bytes(head).split(b"\n")  # its last line is torn, and so is the tail's first
    lines = [_line(line) for line in first] + _lines(end[end.find(b"\n") + 1 :])
    words = {"size": size // MB, "head": len(head) // MB, "tail": len(end) // MB, "lines": dropped}
    sentence = Text(_LEFT_OUT.en.format(name=name, **words), _LEFT_OUT.zh.format(name=name, **words))
    return LogText(name, lines, (len(first), dropped), sentence)


def _blocks(stream: BinaryIO) -> Iterator[bytes]:
    """The log in UTF-8, unpacked; a byte-order mark tells another encoding, and what is broken becomes a mark."""
    begin = stream.read(4)
    whole = io.BufferedReader(_Joined(begin, stream))  # type: ignore[type-var]
    if begin.startswith(b"\x1f\x8b"):
        yield from _blocks(cast("BinaryIO", gzip.GzipFile(fileobj=whole)))
        return
    encoding = next((name for mark, name in BYTE_ORDER_MARKS.items() if begin.startswith(mark)), None)
    if encoding is None:
        while block := whole.read(BLOCK):
            yield block
        return
    text = io.TextIOWrapper(whole, encoding, errors="replace", newline="")
    while chunk := text.read(BLOCK):
        yield chunk.encode(errors="replace")


class _Joined(io.RawIOBase):
    """A stream again from its begin, of which the first bytes were looked at."""

    def __init__(self, begin: bytes, rest: BinaryIO) -> None:
        self._begin = begin
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        data = self._begin[: len(buffer)] or self._rest.read(len(buffer))
        self._begin = self._begin[len(buffer) :]
        buffer[: len(data)] = data
        return len(data)


def _lines(data: bytes) -> list[str]:
    lines = [_line(line) for line in data.split(b"\n")]
    if lines and not lines[-1]:
        lines.pop()
    return lines


def _line(raw: bytes) -> str:
    """The zeros of a file that was emptied while it was written are no text."""
    return raw.strip(b"\0")[:LONGEST_LINE].decode(errors="replace")
