"""Log files for a diagnosis: plain, packed, from a pipe; every one that cannot be read is named at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from paramedic.adapters.logs.log_bytes import MB, Damaged, LaidDown, open_bytes
from paramedic.diagnosis.lines import Lines
from paramedic.knowledge.yaml_file import near
from paramedic.model.errors import InvalidFiles, Problem
from paramedic.model.text import Text

_LEFT_OUT = Text(
    "{name} is too large to be unpacked here: its first {size} MB were read, and what follows was not. Unpack it where "
    "there is room, or cut out the hours that matter, and give that.",
    "{name} 太大，此处空间不足，无法全部解开：只读了前 {size} MB，其后未读。请在空间足够处解开，或截取相关时段再诊断。",
)


@dataclass(frozen=True, slots=True)
class LogText:
    """A log that can be read. `gap`: (index, lines), so many lines were left out before lines[index]."""

    name: str
    lines: Lines
    gap: tuple[int, int] = (0, 0)
    left_out: Text | None = None  # the sentence that says so


def read_logs(paths: Sequence[Path]) -> list[LogText]:
    """Every file, `-` is standard input. Every one that cannot be read is named at once: InvalidFiles."""
    logs: list[LogText] = []
    problems: list[Problem] = []
    for path in dict.fromkeys(paths):
        name = "stdin" if str(path) == "-" else str(path)
        try:
            logs.append(_open(name, path))
        except IsADirectoryError:
            problems.append(Problem(name, 0, "is a folder", "give the log file in it"))
        except FileNotFoundError as error:
            problems.append(Problem(name, 0, f"cannot be read: {error.strerror}", near(path)))
        except Damaged as error:
            hint = f"try: {error.unpack} {name} | paramedic diagnose -"
            problems.append(Problem(name, 0, "its packing is damaged or cut off", hint))
        except OSError as error:
            problems.append(Problem(name, 0, f"cannot be read: {error.strerror}"))
    if problems:
        raise InvalidFiles(problems)
    return logs


def _open(name: str, path: Path) -> LogText:
    source = open_bytes(path)
    left_out = None
    if isinstance(source, LaidDown) and not source.is_whole:
        words = {"name": name, "size": str(source.size // MB)}
        left_out = Text(_LEFT_OUT.en.format(**words), _LEFT_OUT.zh.format(**words))
    return LogText(name, Lines(source), left_out=left_out)
