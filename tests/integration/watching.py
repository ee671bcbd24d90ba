"""A `paramedic watch --json` as a test starts, reads and ends it; every session below it is ended with it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from tests.integration.practice_engine import wait_until

Entry = dict[str, Any]
PARAMEDIC = [sys.executable, "-m", "paramedic"]


def ask(data: Path, *arguments: str, ok: tuple[int, ...] = (0,)) -> Any:
    """What `paramedic ... --json` answers."""
    command = [*PARAMEDIC, *arguments, "--json", "--data-dir", str(data)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode in ok, f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}"
    return json.loads(done.stdout)


def alive(pid: int) -> bool:
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def members(session: int) -> list[int]:
    """The living processes of a session."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, ProcessLookupError):
            if os.getsid(process.pid) == session and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
    return found


class Watch:
    """One run of it; its events go to a file, so that no pipe fills."""

    def __init__(self, data: Path, *arguments: str) -> None:
        data.mkdir(exist_ok=True)
        config = data.parent / "paramedic.yaml"
        if not config.exists():
            config.write_text("server: {port: 0}\ninterval: 1s\n")
        self.data = data
        number = len(list(data.parent.glob("watch-*.out")))
        self.out = data.parent / f"watch-{number}.out"
        self.err = self.out.with_suffix(".err")
        command = [*PARAMEDIC, "watch", "--json", "--data-dir", str(data), "--config", str(config), *arguments]
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.process = subprocess.Popen(command, stdout=out, stderr=err, start_new_session=True)
        self._entries: list[Entry] = []
        self._read = 0  # bytes

    @property
    def entries(self) -> list[Entry]:
        """All so far; asked many times a second, so each line is read once."""
        with self.out.open("rb") as out:
            out.seek(self._read)
            news = out.read()
        whole = news[: news.rfind(b"\n") + 1]
        self._read += len(whole)
        self._entries += [json.loads(line) for line in whole.splitlines()]
        return list(self._entries)

    def seen(self, kind: str, **fields: object) -> list[Entry]:
        wanted = fields.items()
        return [e for e in self.entries if e["type"] == kind and all(e.get(k) == v for k, v in wanted)]

    def wait(self, kind: str, patience: float = 45.0, **fields: object) -> Entry:
        """The first such event."""
        try:
            wait_until(lambda: bool(self.seen(kind, **fields)) or self.process.poll() is not None, kind, patience)
            return self.seen(kind, **fields)[0]
        except (AssertionError, IndexError):
            raise AssertionError(f"no {kind} {fields}\n{self.story()}") from None

    def has_begun(self) -> bool:
        """Whether it is this watch, and no earlier one, that the commands find; from then on it heeds a Ctrl-C."""
        with suppress(FileNotFoundError):
            return bool(json.loads((self.data / "daemon.json").read_text("utf-8"))["pid"] == self.process.pid)
        return False

    def serving(self, run: int = 1) -> int:
        """Wait until this run of its engine serves; the run's session."""
        self.wait("StateChanged", run=run, after="serving")
        return int(self.seen("EngineSeen", run=run)[0]["process"]["pid"])

    def story(self) -> str:
        lines = [json.dumps(entry)[:240] for entry in self.entries[-30:]]
        return "\n".join([*lines, f"exit code {self.process.poll()}", self.err.read_text("utf-8")[-2000:]])

    def end(self, by: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(by)
        return self.process.wait(45)


Start = Callable[..., Watch]


@contextmanager
def watching(folder: Path) -> Iterator[Start]:
    """Gives a function that starts watches on one data folder; ends whatever is left of them."""
    begun: list[Watch] = []

    def start(*arguments: str) -> Watch:
        begun.append(Watch(folder / "data", "--no-discovery", "--for", "100s", *arguments))
        return begun[-1]

    try:
        yield start
    finally:
        sessions = {watch.process.pid for watch in begun}
        sessions |= {seen["process"]["pid"] for watch in begun for seen in watch.seen("EngineSeen", started_by_us=True)}
        for pid in {pid for session in sessions for pid in members(session)}:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for watch in begun:
            watch.process.wait(30)
