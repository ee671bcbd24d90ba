"""`VLLM::DPCoordinator`: stands between the engine cores of a data-parallel server; here it is only there."""

import select
import signal
import sys
import time

from setproctitle import setproctitle

from paramedic.practice.settings import Settings


def main(lifeline_fd: int, settings: Settings) -> None:
    """Be there until the API server has been dead for long."""
    setproctitle("VLLM::DPCoordinator")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the API server ends us
    select.select([lifeline_fd], [], [])
    time.sleep(settings.orphan_seconds)


if __name__ == "__main__":
    main(int(sys.argv[1]), Settings.decode(sys.argv[2]))
