"""Where a running process writes its log, when it is a file."""

import os
import stat
from pathlib import Path


def log_of_process(pid: int) -> str | None:
    """The file behind its standard output or error; None when there is none, or it may not be seen from here."""
    for descriptor in (1, 2):
        path = _regular_file(f"/proc/{pid}/fd/{descriptor}")
        if path is not None:
            return path
    return None


def _regular_file(link: str) -> str | None:
    try:
        seen = Path(link).stat()
        path = Path(link).readlink()
        if not stat.S_ISREG(seen.st_mode):
            return None
        # In another mount namespace (a container) the same path may be another file, or none; a deleted one is none.
        return str(path) if os.path.samestat(seen, path.stat()) else None
    except OSError:
        return None
