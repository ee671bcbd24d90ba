"""The data folder: what lies where, and who holds it."""

import fcntl
import json
import os
from pathlib import Path
from typing import Any

from paramedic.model.errors import NoDaemon, ParamedicError


class DataFolder:
    """Paths of one data folder. Nothing is made before it is needed; all of it is for its owner's eyes only."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.journal = path / "journal.db"
        self.samples = path / "samples"
        self.engines = path / "engines"
        self.incidents = path / "incidents"
        self.daemon = path / "daemon.json"
        self.log = path / "paramedic.log"
        self._lock = path / "lock"
        self._held: int | None = None

    def create(self) -> None:
        """Make the folder, mode 0700."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.path.chmod(0o700)
            self.samples.mkdir(mode=0o700, exist_ok=True)
            self.engines.mkdir(mode=0o700, exist_ok=True)
        except FileExistsError as error:
            raise ParamedicError(
                f"the data folder cannot be made: {error.filename} is a file. Choose another one with --data-dir."
            ) from error
        except OSError as error:
            raise self._unusable(error) from error

    def _unusable(self, error: OSError) -> ParamedicError:
        return ParamedicError(
            f"the data folder {self.path} cannot be used: {error.strerror}. Choose another one with --data-dir."
        )

    def hold(self) -> None:
        """Be the one daemon of this folder until the process ends; NoDaemon says who is it instead."""
        try:
            handle = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._unusable(error) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            holder = self.read_daemon().get("pid", "unknown")
            raise NoDaemon(f"the data folder {self.path} is held by a running paramedic (pid {holder})") from None
        self._held = handle

    def is_held(self) -> bool:
        """Whether a daemon holds it now."""
        try:
            handle = os.open(self._lock, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(handle)
        return False

    def let_go(self) -> None:
        self.daemon.unlink(missing_ok=True)
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def write_daemon(self, facts: dict[str, Any]) -> None:
        """Where and with which token the daemon answers; readable by its owner alone, replaced in one step."""
        draft = self.daemon.with_suffix(".new")
        try:
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(facts, file)
            draft.replace(self.daemon)
        except OSError as error:
            raise self._unusable(error) from error

    def read_daemon(self) -> dict[str, Any]:
        try:
            facts = json.loads(self.daemon.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return facts if isinstance(facts, dict) else {}
