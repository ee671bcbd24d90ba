"""A daemon that is none, behind the real HTTP server."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from paramedic.console.serve import ConsoleServer, serve
from paramedic.console.server import build
from paramedic.journal import events as e
from paramedic.journal.codec import Entry
from paramedic.model.action import ActionKind
from paramedic.model.errors import UsageError
from paramedic.model.text import as_written
from paramedic.pipeline.board import ActionRow, Board, TargetRow
from paramedic.recovery.by_hand import full_name
from tests.fakes.night import ASKED, BEGIN, EMBED, QWEN, SECOND, crash_and_restart

TOKEN = "a-token-that-nobody-else-knows"
NAMES = [QWEN.name, EMBED.name]


@dataclass
class PretendDaemon:
    """Keeps what it was asked; only ACT-0001 waits."""

    journal: list[Entry] = field(default_factory=crash_and_restart)
    done: list[tuple[str, ...]] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    rows: tuple[TargetRow, ...] = ()
    actions: tuple[ActionRow, ...] = ()
    to_come: tuple[e.Event, ...] = ()  # after a restart was asked for

    def board(self) -> Board:
        return Board(1, "0.1.0", os.getpid(), self.rows, (), self.actions, (), (), last_seq=self.journal[-1].seq)

    def entries(self, after: int) -> list[Entry]:
        return [entry for entry in self.journal if entry.seq > after]

    async def wait_for_entries(self, after: int, timeout: float) -> list[Entry]:
        if not self.entries(after):
            try:
                await asyncio.wait_for(self.news.wait(), timeout)
            except TimeoutError:
                return []
        self.news.clear()
        return self.entries(after)

    def approve(self, action: str, by: str) -> e.ActionApproved:
        self._check(action)
        self.done.append(("approve", action, by))
        return e.ActionApproved(action, by)

    def reject(self, action: str, by: str, reason: str) -> e.ActionRejected:
        self._check(action)
        self.done.append(("reject", action, by, reason))
        return e.ActionRejected(action, by, as_written(reason))

    def hold(self, target: str, by: str, seconds: float | None, reason: str) -> e.TargetHeld:
        self.done.append(("hold", target, by, str(seconds), reason))
        until = 0 if seconds is None else BEGIN + int(seconds * SECOND)
        return e.TargetHeld(full_name(target, NAMES), by, until, as_written(reason))

    def resume(self, target: str, by: str, reason: str) -> e.TargetResumed:
        self.done.append(("resume", target, by, reason))
        return e.TargetResumed(full_name(target, NAMES), by, as_written(reason))

    def restart(self, target: str, by: str, reason: str) -> e.ActionRequested:
        """It begins, and what `to_come` has follows."""
        self.done.append(("restart", target, by, reason))
        name = full_name(target, NAMES)
        request = e.ActionRequested(ASKED, ActionKind.RESTART, name, "", as_written(reason), 1, False, by=by)
        for event in (request, *self.to_come):
            last = self.journal[-1]
            self.journal.append(Entry(last.seq + 1, last.at + SECOND, None, event))
        self.news.set()
        return request

    def stop(self, by: str) -> None:
        self.done.append(("stop", by))

    def _check(self, action: str) -> None:
        if action != "ACT-0001":
            raise UsageError(f"there is no action {action}")


@dataclass
class Console:
    """A running console: the pretend daemon behind it and where it answers."""

    daemon: PretendDaemon
    server: ConsoleServer
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def write_facts(self, folder: Path, **changes: object) -> None:
        """daemon.json as the app writes it."""
        facts = {"pid": os.getpid(), "started": psutil.Process().create_time(), "url": self.url, "token": TOKEN}
        (folder / "daemon.json").write_text(json.dumps(facts | changes))


@asynccontextmanager
async def pretend_console() -> AsyncIterator[Console]:
    """A console on a free port, until the end of the block."""
    daemon = PretendDaemon()
    server, port = await serve(build(daemon, TOKEN), "127.0.0.1", 0)
    try:
        yield Console(daemon, server, port)
    finally:
        await server.stop()
