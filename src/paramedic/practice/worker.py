"""`VLLM::Worker`: does the arithmetic of a step, that is, takes the time that it costs."""

import os
import select
import signal
import socket
import sys
import time
from contextlib import suppress

from setproctitle import setproctitle

from paramedic.practice.log import Log
from paramedic.practice.settings import Settings
from paramedic.practice.wire import Wire


def main(core_fd: int, lifeline_fd: int, settings: Settings) -> None:
    """Serve the engine core until it is gone. The lifeline closes when the API server dies."""
    setproctitle("VLLM::Worker")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the API server ends us
    log = Log("Worker")
    core = Wire(socket.socket(fileno=core_fd))
    core_pid = os.getppid()
    _load(log, core, settings)
    core.send({"loaded": os.getpid()})
    waits: list[Wire | int] = [core, lifeline_fd]
    deadline: float | None = None
    while core.open:
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        ready, _, _ = select.select(waits, [], [], left)
        if lifeline_fd in ready:
            waits, deadline = [core], time.monotonic() + settings.orphan_seconds
        elif core in ready:
            for step in core.receive():
                time.sleep(step["seconds"])
                core.send({"done": True})
        elif deadline is not None and time.monotonic() >= deadline:
            if os.getppid() == core_pid:  # it may stand still for ever, stopped by a fault
                with suppress(ProcessLookupError):
                    os.kill(core_pid, signal.SIGKILL)
            return
    log.write("worker-parent-gone")


def _load(log: Log, core: Wire, settings: Settings) -> None:
    log.write("worker-load", model=settings.model)
    _pass(settings.start_seconds * 0.4, core)
    log.write("worker-loaded", seconds=f"{settings.start_seconds * 0.2:.2f}")
    _pass(settings.start_seconds * 0.2, core)
    log.write("worker-warm", seconds=f"{settings.start_seconds * 0.2:.2f}")


def _pass(seconds: float, core: Wire) -> None:
    """Let time pass, unless the core goes meanwhile; it says nothing while we load."""
    ready, _, _ = select.select([core], [], [], seconds)
    if ready:
        core.receive()
        if not core.open:
            sys.exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Settings.decode(sys.argv[3]))
