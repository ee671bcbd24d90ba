"""The log of the pretended server, in the shape of the real one: process, pid, level, time, file and line."""

import os
import re
import sys
from datetime import datetime
from importlib.resources import files
from string import Template

_PREFIXED = re.compile(r"(DEBUG|INFO|WARNING|ERROR) (\[[\w.]+:\d+\].*)")


class Log:
    """Writes recorded lines under the name of one process of the engine."""

    def __init__(self, process: str) -> None:
        self.process = process

    def write(self, name: str, **values: object) -> None:
        """Write the lines of `log_lines/<name>.txt` with the values filled in."""
        template = files("paramedic.practice").joinpath("log_lines", f"{name}.txt").read_text("utf-8")
        self.lines(Template(template).substitute({key: str(value) for key, value in values.items()}))

    def lines(self, text: str) -> None:
        """Write lines; those that begin with a level get the prefix of this process."""
        sys.stdout.write("".join(f"{self._prefix(line)}\n" for line in text.removesuffix("\n").split("\n")))
        sys.stdout.flush()

    def _prefix(self, line: str) -> str:
        match = _PREFIXED.fullmatch(line)
        if not match:
            return line
        stamp = datetime.now().astimezone().strftime("%m-%d %H:%M:%S")
        return f"({self.process} pid={os.getpid()}) {match[1]} {stamp} {match[2]}"
