"""An engine's log that a test writes."""

from paramedic.ports import LogChunk


class FakeLog:
    """Lines in memory; `new_file` begins another run."""

    def __init__(self, file: str = "engine.log") -> None:
        self.file = file
        self.lines: list[str] = []
        self._read = 0

    def write(self, *lines: str) -> None:
        self.lines.extend(lines)

    def new_file(self, file: str) -> None:
        self.file, self.lines, self._read = file, [], 0

    def new_lines(self) -> LogChunk:
        chunk = LogChunk(self.file, self._read + 1, tuple(self.lines[self._read :]))
        self._read = len(self.lines)
        return chunk

    def close(self) -> None:
        """Nothing to let go of."""

    def tail(self, max_bytes: int) -> LogChunk:
        first, left = len(self.lines), max_bytes
        while first and (left := left - len(self.lines[first - 1].encode()) - 1) >= 0:
            first -= 1
        return LogChunk(self.file, first + 1, tuple(self.lines[first:]))
