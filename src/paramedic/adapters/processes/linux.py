"""The engines of this machine, found by what their processes run, whoever started them."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from paramedic.adapters.logs.of_process import log_of_process
from paramedic.adapters.processes import stat as proc
from paramedic.adapters.processes.networks import lives_apart, place_of
from paramedic.adapters.processes.recognise import arguments_of, role_of, serve_arguments, title_of, urls_of
from paramedic.adapters.processes.sockets import listening_sockets, listens_at
from paramedic.adapters.processes.stat import Stat
from paramedic.adapters.processes.watch import ExitOf, LinuxWatch, watch_process
from paramedic.adapters.processes.ways import unreadable, ways_to
from paramedic.model.target import EngineProcess, Role
from paramedic.model.text import NO_WORDS
from paramedic.ports import Candidate

YOUNG_S = 30.0  # so long a new process may still become something else (exec, setproctitle)
ROUND = 12  # every known process is read again once in so many looks
STARTING_S, APART_S, SETTLED_S = 5.0, 10.0, 300.0  # how long what was read of a server's sockets is good
CMDLINE_LIMIT = 32 * 1024


@dataclass(frozen=True, slots=True)
class _Server:
    process: EngineProcess
    argv: tuple[str, ...]
    arguments: tuple[str, ...]
    group: int
    session: int


@dataclass(frozen=True, slots=True)
class _Place:
    candidate: Candidate
    read_at: float
    good_for: float


class LinuxProcesses:
    """`exit_of` tells how a child of ours ended (the supervisor knows); `clock` gives epoch seconds."""

    def __init__(self, exit_of: ExitOf = lambda pid: None, clock: Callable[[], float] = time.time) -> None:
        self._exit_of = exit_of
        self._clock = clock
        self._seen: dict[int, float] = {}  # pid -> when it began
        self._servers: dict[int, _Server] = {}
        self._places: dict[int, _Place] = {}
        self._groups: dict[int, tuple[int, int]] = {}  # API server -> group, session; kept after its end
        self._looks = 0

    def find(self) -> list[Candidate]:
        """Every API server of an engine, oldest first, also while it still starts and nobody listens."""
        now = self._clock()
        self._looks += 1
        known = self._seen
        self._seen = {pid: known[pid] if pid in known else _began(pid) for pid in proc.pids()}
        for pid, began in self._seen.items():
            if pid not in known or abs(now - began) < YOUNG_S or (pid + self._looks) % ROUND == 0:
                self._look_at(pid)
        for pid in list(self._servers):
            if not self._still_there(pid):
                self._forget(pid)
        servers = [server for server in self._servers.values() if not self._has_server_above(server)]
        servers.sort(key=lambda server: (server.process.started, server.process.pid))
        return [self._candidate(server) for server in servers]

    def tree(self, server: EngineProcess) -> list[EngineProcess] | None:
        """The API server and the engine's other processes, also those that outlived it; None: could not look."""
        stats = {one.pid: one for one in map(proc.read_stat, proc.pids()) if one is not None and one.alive}
        if not stats:
            return None
        root = stats.get(server.pid)
        if root is not None and not proc.same_process(root, server.started):
            return []  # the number has a new owner, which the system allows only when the whole old group is gone
        if root is not None:
            self._groups[server.pid] = (root.group, root.session)
        group, session = self._groups.get(server.pid, (server.pid, server.pid))
        members = {} if root is None else _descendants(server.pid, stats)
        others = self._below_other_servers(server.pid, stats)
        for one in stats.values():
            ours = one.group == group or one.session == server.pid == session
            if ours and one.pid not in members and one.pid not in others and self._is_orphan(one, server):
                members[one.pid] = one
        members.pop(server.pid, None)
        rest = [self._process(one) for one in sorted(members.values(), key=lambda one: (one.started, one.pid))]
        return [self._as_server(root), *rest] if root is not None else rest

    def orphans_of(self, pgid: int) -> list[EngineProcess]:
        """What is left of an engine whose API server led the process group `pgid` and is gone."""
        stats = [one for one in map(proc.read_stat, proc.pids()) if one is not None and one.alive]
        if any(one.pid == pgid for one in stats):
            return []
        return [self._process(one) for one in stats if pgid in (one.group, one.session)]

    def listens(self, server: EngineProcess, url: str) -> bool | None:
        """Whether this engine, and not another program, listens at the port of `url`; None: could not see."""
        tree = self.tree(server)
        return None if tree is None else listens_at([process.pid for process in tree], urlsplit(url).port)

    def watch(self, process: EngineProcess) -> LinuxWatch | None:
        """Be told of its end at once. The exit code is known only for children of this program."""
        return watch_process(process, self._exit_of)

    def _look_at(self, pid: int) -> None:
        cmdline = proc.read_bytes(pid, "cmdline", CMDLINE_LIMIT)
        argv = arguments_of(cmdline) if cmdline else ()
        arguments = serve_arguments(argv)
        stat = proc.read_stat(pid) if arguments is not None else None
        if arguments is None or stat is None or not stat.alive:
            self._forget(pid)
            return
        self._groups[pid] = (stat.group, stat.session)
        known = self._servers.get(pid)
        if known is None or known.argv != argv or not proc.same_process(stat, known.process.started):
            self._forget(pid)
            self._servers[pid] = _Server(self._as_server(stat), argv, arguments, stat.group, stat.session)

    def _forget(self, pid: int) -> None:
        self._servers.pop(pid, None)
        self._places.pop(pid, None)

    def _still_there(self, pid: int) -> bool:
        stat = proc.read_stat(pid)
        return stat is not None and stat.alive and proc.same_process(stat, self._servers[pid].process.started)

    def _has_server_above(self, server: _Server) -> bool:
        """A fork of a server looks like the server until it names itself; it is a part, no server of its own."""
        stat = proc.read_stat(server.process.pid)
        for _ in range(64):
            if stat is None or stat.parent <= 1:
                return False
            if stat.parent in self._servers:
                return True
            stat = proc.read_stat(stat.parent)
        return False

    def _candidate(self, server: _Server) -> Candidate:
        """Where it listens is read from the system seldom: the kernel needs milliseconds to list its sockets."""
        pid, now = server.process.pid, self._clock()
        known = self._places.get(pid)
        if known is not None and 0 <= now - known.read_at < known.good_for:
            return known.candidate
        sockets = listening_sockets(pid)
        apart = bool(lives_apart(pid))
        urls = urls_of(server.arguments, sockets or ())
        candidate = Candidate(
            server.process,
            server.argv,
            ways_to(pid, urls) if apart else urls,
            log_of_process(pid) or "",
            apart=place_of(pid) if apart else "",
            unreadable=unreadable(pid) if sockets is None else NO_WORDS,
        )
        settled = APART_S if apart else SETTLED_S
        self._places[pid] = _Place(candidate, now, settled if sockets else STARTING_S)
        return candidate

    def _below_other_servers(self, pid: int, stats: dict[int, Stat]) -> set[int]:
        """Processes of the other known servers: two may share one group when a script started both."""
        found: set[int] = set()
        for other in self._servers:
            if other != pid and other in stats:
                found |= {other, *_descendants(other, stats)}
        return found

    def _is_orphan(self, one: Stat, server: EngineProcess) -> bool:
        """In a group that the server itself leads everything is the engine's; elsewhere only what bears its title."""
        leads = self._groups.get(server.pid, (server.pid, server.pid))[0] == server.pid
        started_later = one.started >= server.started - proc.START_TOLERANCE_S
        return one.pid != server.pid and started_later and (leads or role_of(_title(one)) is not Role.OTHER)

    def _process(self, one: Stat) -> EngineProcess:
        title = _title(one) or one.name
        return EngineProcess(one.pid, one.started, role_of(title), title, one.state, one.cpu_seconds)

    def _as_server(self, one: Stat) -> EngineProcess:
        return replace(self._process(one), role=Role.API_SERVER)


def _title(one: Stat) -> str:
    """Read each time: a process that was just forked still bears the title of its parent."""
    return title_of(proc.read_bytes(one.pid, "cmdline", 256))


def _began(pid: int) -> float:
    stat = proc.read_stat(pid)
    return stat.started if stat is not None else 0.0


def _descendants(root: int, stats: dict[int, Stat]) -> dict[int, Stat]:
    """Everything below `root`, without it."""
    children: dict[int, list[Stat]] = {}
    for one in stats.values():
        children.setdefault(one.parent, []).append(one)
    found: dict[int, Stat] = {}
    waiting = list(children.get(root, ()))
    while waiting:
        one = waiting.pop()
        if one.pid not in found:
            found[one.pid] = one
            waiting.extend(children.get(one.pid, ()))
    return found
