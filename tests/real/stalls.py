"""How long this machine itself stood still: an engine on every core, or the machine's own host, stops everybody."""

import threading
import time

NAP = 0.05
NOTICED = 0.1  # seconds by which a nap may be late


class Stalls:
    """A thread that only naps, and notes each nap that was much too long."""

    def __init__(self) -> None:
        self._found: list[tuple[float, float]] = []  # epoch seconds: from, to
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._nap, daemon=True)
        self._thread.start()

    def between(self, begin: float, end: float) -> float:
        """Seconds of standstill within these epoch seconds."""
        return sum(max(0.0, min(end, last) - max(begin, first)) for first, last in self._found)

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _nap(self) -> None:
        before = time.time()
        while not self._over.wait(NAP):
            now = time.time()
            if now - before > NAP + NOTICED:
                self._found.append((before + NAP, now))
            before = now
