"""The process group of one run: who is alive in it, and how it is ended."""

import asyncio
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field

from paramedic.adapters.processes.stat import START_TOLERANCE_S, Stat, pids, read_stat, same_process
from paramedic.model.target import EngineProcess

POLL_S = 0.05
KILL_LIMIT_S = 20.0


@dataclass(slots=True)
class Ending:
    """What was done to end a group, in order, and who is still there."""

    steps: list[str] = field(default_factory=list)
    left: list[Stat] = field(default_factory=list)


def members(server: EngineProcess) -> list[Stat]:
    """Every living process of the group and session that `server` led, orphans with another parent included.

    A session's number is not given away while anybody is left in it. Where its leader is another process than
    ours, or somebody in it is older than ours, the number has been used again: then nobody of ours is left.
    """
    leader = read_stat(server.pid)
    if leader is not None and not same_process(leader, server.started):
        return []
    found = []
    for pid in pids():
        stat = read_stat(pid) if _in_group(pid, server.pid) else None
        if stat is not None and stat.alive and server.pid in (stat.group, stat.session):
            found.append(stat)
    if any(stat.started < server.started - START_TOLERANCE_S for stat in found):
        return []
    return found


async def end_group(server: EngineProcess, grace_s: float, reap: Callable[[], None]) -> Ending:
    """SIGTERM, `grace_s` seconds, SIGKILL, at most 20 s more. `reap` collects our own child between looks."""
    ending = Ending(left=members(server))
    if not ending.left:
        ending.steps.append("nothing was left to end")
        return ending
    if grace_s > 0:
        _signal(server, ending, signal.SIGTERM)
        await _until_gone(server, ending, grace_s, reap)
    if ending.left:
        _signal(server, ending, signal.SIGKILL)
        await _until_gone(server, ending, KILL_LIMIT_S, reap, again=signal.SIGKILL)
    for stat in ending.left:
        ending.steps.append(f"pid {stat.pid} ({stat.name}) is still there, in state {stat.state}")
    return ending


async def _until_gone(
    server: EngineProcess, ending: Ending, limit_s: float, reap: Callable[[], None], again: signal.Signals | None = None
) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    while True:
        reap()
        ending.left = members(server)
        waited = loop.time() - began
        if not ending.left:
            ending.steps.append(f"all gone after {waited:.1f} s")
            return
        if waited >= limit_s:
            return
        if again is not None:
            _send(server, ending.left, again)  # somebody may have been born meanwhile
        await asyncio.sleep(min(POLL_S, max(0.0, limit_s - waited)))


def _signal(server: EngineProcess, ending: Ending, number: signal.Signals) -> None:
    names = ", ".join(f"{stat.pid} {stat.name}" for stat in ending.left)
    ending.steps.append(f"{number.name} to process group {server.pid} ({names})")
    _send(server, ending.left, number)


def _send(server: EngineProcess, to: list[Stat], number: signal.Signals) -> None:
    if any(stat.group == server.pid for stat in to):
        _quietly(lambda: os.killpg(server.pid, number))
    for stat in to:
        if stat.group != server.pid:  # same session, a group of its own
            _quietly(lambda pid=stat.pid: os.kill(pid, number))  # type: ignore[misc]


def _quietly(send: Callable[[], None]) -> None:
    """Gone meanwhile, or not ours to signal: the next look tells."""
    try:
        send()
    except (ProcessLookupError, PermissionError):
        return


def _in_group(pid: int, leader: int) -> bool:
    try:
        return leader in (os.getpgid(pid), os.getsid(pid))
    except OSError:
        return False
