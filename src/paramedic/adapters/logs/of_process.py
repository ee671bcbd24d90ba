"""Where a running process writes its log, when it is a file."""

import os
import stat
from pathlib import Path


def log_of_process(pid: int) -> str | None:
    """The file behind its standard output or error; None when there is none, or it may not be seen from here."""
    for descriptor in (1, 2):
        path = _regular_file(pid, descriptor)
        if path is not None:
            return path
    return None


def _regular_file(pid: int, descriptor: int) -> str | None:
    link = Path(f"/proc/{pid}/fd/{descriptor}")
    try:
        seen = link.stat()
        path = link.readlink()
    except OSError:
        return None
    if not stat.S_ISREG(seen.st_mode):
        return None
    # In another mount namespace (a container) the same path may be another file, or none; a deleted one is none.
    for place in (path, Path(f"/proc/{pid}/root{path}")):
        try:
            if os.path.samestat(seen, place.stat()):
                return str(place)
        except OSError:
            continue  # not there, or it may not be seen
    return None
