"""How long this machine itself stood still: its host may stop a virtual core, and all who run on it, for seconds."""

import os
import threading
import time

NAP = 0.05
NOTICED = 0.1  # seconds by which a nap may be late


class Stalls:
    """A thread a core that only naps, and notes each nap that was much too long."""

    def __init__(self) -> None:
        self._found: list[tuple[float, float]] = []  # epoch seconds: from, to
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._nap, args=(cpu,)) for cpu in os.sched_getaffinity(0)]
        for thread in self._threads:
            thread.daemon = True
            thread.start()

    def between(self, begin: float, end: float) -> float:
        """Seconds within these epoch seconds in which at least one core stood still."""
        total, reached = 0.0, begin
        for first, last in sorted(self._found):
            first, last = max(first, reached), min(last, end)
            if last > first:
                total, reached = total + last - first, last
        return total

    def stop(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _nap(self, cpu: int) -> None:
        os.sched_setaffinity(0, {cpu})  # of this thread alone
        before = time.time()
        while not self._over.wait(NAP):
            now = time.time()
            if now - before > NAP + NOTICED:
                self._found.append((before + NAP, now))
            before = now
