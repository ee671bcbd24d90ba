"""A `paramedic watch --json` of our own, and the events it prints."""

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from tests.real.engine import READY_WITHIN, Scratch, serve

Entry = dict[str, Any]
PARAMEDIC = str(Path(sys.executable).with_name("paramedic"))


def value(entry: Entry, path: str) -> Any:
    """`alert__rule` is the field rule of the field alert; a number is a place in a list."""
    found: Any = entry
    for part in path.split("__"):
        if isinstance(found, list):
            found = found[int(part)] if int(part) < len(found) else None
        else:
            found = found.get(part) if isinstance(found, dict) else None
    return found


class Watch:
    """Starts it, reads its events, ends it. Every session that an engine of it opens is ended with the scratch."""

    def __init__(self, scratch: Scratch, *arguments: str, environment: dict[str, str] | None = None) -> None:
        self.entries: list[Entry] = []
        self.data = scratch.data
        self._scratch = scratch
        self._command = [PARAMEDIC, "watch", "--json", "--data-dir", str(scratch.data), *arguments]
        self._environment = {**scratch.environment, **(environment or {})}
        self._errors = scratch.folder / "watch.stderr"
        self._news = asyncio.Condition()

    @classmethod
    def of_engine(cls, scratch: Scratch, port: int, *flags: str, **options: Any) -> "Watch":
        """`paramedic watch OPTIONS -- vllm serve ...`, which looks at no other engine of this machine."""
        environment, own = options.pop("environment", None), options.pop("options", ())
        return cls(scratch, "--no-discovery", *own, "--", *serve(port, *flags, **options), environment=environment)

    async def start(self) -> "Watch":
        with self._errors.open("wb") as errors:
            self.process = await asyncio.create_subprocess_exec(
                *self._command, stdout=asyncio.subprocess.PIPE, stderr=errors, env=self._environment,
                start_new_session=True, limit=2**22,
            )  # fmt: skip
        self._scratch.adopt(self.process)
        self._reader = asyncio.create_task(self._read())
        return self

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            entry = json.loads(line)
            if entry["type"] == "EngineSeen" and entry["started_by_us"]:
                with contextlib.suppress(ProcessLookupError):
                    self._scratch.sessions.add(os.getsid(entry["process"]["pid"]))
            async with self._news:
                self.entries.append(entry)
                self._news.notify_all()
        async with self._news:
            self._news.notify_all()

    def seen(self, kind: str, since: int = 0, **fields: Any) -> list[Entry]:
        """The entries of this type beyond the number `since` whose fields have these values (a set: one of these)."""

        def fits(entry: Entry) -> bool:
            if entry["type"] != kind or entry["seq"] <= since:
                return False
            pairs = ((value(entry, path), wanted) for path, wanted in fields.items())
            return all(own in wanted if isinstance(wanted, set) else own == wanted for own, wanted in pairs)

        return [entry for entry in self.entries if fits(entry)]

    async def wait(self, kind: str, within: float, since: int = 0, **fields: Any) -> Entry:
        """The first such entry; fails, with all that is known, when none comes in time."""
        deadline = time.monotonic() + within
        async with self._news:
            while not (found := self.seen(kind, since, **fields)):
                left = deadline - time.monotonic()
                if left <= 0 or self._reader.done():
                    raise AssertionError(f"no {kind} {fields} within {within:.0f} s\n{self.story()}")
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), min(left, 1.0))
        return found[0]

    async def serving(self, run: int = 1, within: float = READY_WITHIN) -> Entry:
        """Wait until this run of the engine serves."""
        return await self.wait("StateChanged", within, run=run, after="serving")

    async def engine(self, run: int = 1, within: float = 60.0) -> int:
        """The session of this run of the engine that we started."""
        seen = await self.wait("EngineSeen", within, run=run)
        return int(seen["process"]["pid"])

    async def no_restart(self, seconds: float) -> None:
        """For so long no action begins and no further run of an engine appears."""
        runs = len(self.seen("EngineSeen", started_by_us=True))
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert not self.seen("ActionStarted"), f"it acted\n{self.story()}"
            assert len(self.seen("EngineSeen", started_by_us=True)) == runs, (
                f"it started the engine again\n{self.story()}"
            )
            await asyncio.sleep(0.2)
        assert not self._reader.done(), f"the watch ended\n{self.story()}"

    def story(self) -> str:
        """What happened, for the reader of a failed test."""
        lines = [json.dumps(entry, ensure_ascii=False)[:400] for entry in self.entries[-40:]]
        logs = [seen["log"] for seen in self.seen("EngineSeen") if seen.get("log")][-1:]
        for path in [str(self._errors), *logs]:
            with contextlib.suppress(OSError):
                lines += [f"--- {path}", *Path(path).read_text(errors="replace").splitlines()[-25:]]
        return "\n".join(lines)

    async def end(self, by: signal.Signals = signal.SIGINT, within: float = 60.0) -> int:
        """Ctrl-C; its exit code. Before, note the sessions of its descendants, so that none outlives the test."""
        with contextlib.suppress(psutil.NoSuchProcess):
            for child in psutil.Process(self.process.pid).children(recursive=True):
                with contextlib.suppress(ProcessLookupError):
                    self._scratch.sessions.add(os.getsid(child.pid))
        if self.process.returncode is None:
            self.process.send_signal(by)
        async with asyncio.timeout(within):
            await self.process.wait()
            await self._reader
        assert self.process.returncode is not None
        return self.process.returncode


async def ask(scratch: Scratch, *arguments: str) -> Any:
    """What `paramedic ... --json` answers."""
    command = [PARAMEDIC, *arguments, "--json", "--data-dir", str(scratch.data)]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, errors = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode in (0, 1), f"{arguments}: {process.returncode} {errors.decode()}"
    return json.loads(out)
