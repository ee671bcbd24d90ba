"""The folder of one recording: the layout in which a server's log, scrapes, health, GPU and host are replayed."""

import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from paramedic.diagnosis.masking import Mask
from paramedic.model.text import Text
from paramedic.ports import LogChunk, Reply

LOG_BYTES = 16 * 1024 * 1024  # of the server's log, its last part
ENOUGH = 192 * 1024 * 1024  # bytes of one kind, unpacked: what comes after is left out

Row = Mapping[str, Any]


class RecordingFolder:
    """Writes one recording, piece by piece; every text goes through `mask` first.

    `could_not` collects what was not seen, and why; `facts` what the manifest says beside it.
    """

    def __init__(self, path: Path, mask: Mask) -> None:
        self.path = path
        self.mask = mask
        self.could_not: dict[str, Text] = {}
        self.facts: dict[str, Any] = {}
        self._open: dict[str, IO[str]] = {}
        self._written: dict[str, int] = {}
        self._page = b""  # the last whole answer of /metrics
        self._pages: dict[bytes, str] = {}

    def close(self) -> None:
        """Everything is on the disk; the last page of metrics too."""
        if self._page:
            self._text("metrics.txt", self.mask.lines(_lines_of(self._page)))
        for file in self._open.values():
            file.close()
        self._open.clear()

    # Once a look

    def scrape(self, at: float, reply: Reply) -> None:
        """One answer of /metrics, its comments left out."""
        head = f"# t={at:.3f} status={reply.status or 0} took={reply.seconds:.4f}"
        if reply.error or not reply.ok:
            self._line("scrapes.txt.gz", f"{head} '{self.mask.line(reply.error or f'HTTP {reply.status}')}'")
            return
        self._page = reply.body
        self._line("scrapes.txt.gz", head)
        samples = [line for line in _lines_of(reply.body) if line and not line.startswith("#")]
        self._line("scrapes.txt.gz", "\n".join(self._masked_sample(line) for line in samples))

    def samples(self, at: float, lines: Sequence[str]) -> None:
        """The same, of samples that were kept as numbers."""
        self._line("scrapes.txt.gz", f"# t={at:.3f} status=200 took=0.0000")
        self._line("scrapes.txt.gz", "\n".join(self._masked_sample(line) for line in lines))

    def health(self, at: float, reply: Reply) -> None:
        body = reply.error or self.mask.line(reply.body[:4000].decode(errors="replace"))[:300]
        self._json(
            "health.jsonl",
            {"t": round(at, 3), "status": reply.status or 0, "took": round(reply.seconds, 4), "body": body},
        )

    def gpu(self, rows: Iterable[Row]) -> None:
        for row in rows:
            self._json("nvml.jsonl", row)

    def host(self, row: Row) -> None:
        self._json("host.jsonl.gz", row)

    # Once

    def log(self, chunk: LogChunk, times: Mapping[int, float]) -> None:
        """The server's log; `times` gives the epoch of lines, by their number in the file, where it is known."""
        if not chunk.lines:
            return
        self._text("server.log", self.mask.lines(chunk.lines))
        numbers = range(chunk.first_line, chunk.first_line + len(chunk.lines))
        if any(number in times for number in numbers):
            self._text("server.times.gz", [f"{times[n]:.3f}" if n in times else "" for n in numbers])
        self.facts["log"] = {"path": chunk.file, "first_line": chunk.first_line, "lines": len(chunk.lines)}

    def lines(self, name: str, lines: Sequence[str]) -> None:
        """A text of its own; none where there are no lines."""
        if lines:
            self._text(name, self.mask.lines(lines))

    def document(self, name: str, content: Row) -> None:
        """A JSON document; whoever gives it has masked it."""
        self._text(name, [json.dumps(content, indent=1, ensure_ascii=False)])

    # Files

    def _masked_sample(self, line: str) -> str:
        """Of a sample only the name and the labels can hold words, and they are the same each time."""
        key, space, value = line.rpartition(" ")
        raw = key.encode()
        known = self._pages.get(raw)
        if known is None:
            known = self._pages[raw] = self.mask.line(key)
        return known + space + value

    def _json(self, name: str, row: Row) -> None:
        self._line(name, json.dumps(row, ensure_ascii=False))

    def _line(self, name: str, line: str) -> None:
        written = self._written.get(name, 0)
        if written > ENOUGH:
            self.could_not[name] = Text(
                f"only its first {ENOUGH // 2**20} MB are kept", f"只保留了前 {ENOUGH // 2**20} MB"
            )
            return
        if name not in self._open:
            self._open[name] = _opened(self.path / name)
        self._written[name] = written + self._open[name].write(line + "\n")

    def _text(self, name: str, lines: Iterable[str]) -> None:
        with _opened(self.path / name) as out:
            out.writelines(line + "\n" for line in lines)


def _opened(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "wt", compresslevel=5, encoding="utf-8", errors="replace")
    return path.open("w", encoding="utf-8", errors="replace")


def _lines_of(body: bytes) -> list[str]:
    return body.decode(errors="replace").splitlines()
