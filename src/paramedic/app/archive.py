"""A backup file: a tar.gz with a manifest, the journal, and where asked the samples and how engines are started."""

import json
import re
from dataclasses import asdict, dataclass
from typing import Any

from paramedic.app.packed import Part
from paramedic.model.errors import UsageError

KIND = "paramedic-backup"
LAYOUT = 1
MANIFEST_LIMIT = 4_000_000  # bytes
JOURNAL = "journal.db"
_NAMES = re.compile(r"journal\.db|samples/samples-\d{4}-\d\d-\d\d\.db|engines/(?!\.)[A-Za-z0-9._@-]{1,100}/spec\.json")


class NoBackup(UsageError):
    """The file is no backup of Paramedic, or no longer a whole one."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself; its first part."""

    paramedic: str  # the version that made it
    made_at: int  # UTC ns
    entries: int  # events in its journal
    last_entry_at: int  # UTC ns
    secrets: bool  # it holds how engines are started: arguments and environment, so their keys
    parts: tuple[Part, ...]  # named as in the data folder

    @property
    def sample_days(self) -> int:
        return sum(part.name.startswith("samples/") for part in self.parts)

    @property
    def engines(self) -> int:
        return sum(part.name.startswith("engines/") for part in self.parts)

    def to_json(self) -> bytes:
        return json.dumps({"kind": KIND, "layout": LAYOUT, **asdict(self)}, indent=1).encode()


def is_part(name: str) -> bool:
    """Whether a backup of Paramedic may hold a file of that name; it leads nowhere else than into a data folder."""
    return _NAMES.fullmatch(name) is not None


def read_manifest(raw: bytes, file: str) -> Manifest:
    """Raises NoBackup for what no Paramedic wrote, UsageError for what a newer one did."""
    try:
        said = json.loads(raw)
        if said["kind"] != KIND:
            raise NoBackup(f"{file} is no backup of Paramedic: its manifest is another program's")
        if said["layout"] > LAYOUT:
            raise UsageError(
                f"{file} was made by Paramedic {said['paramedic']} in a newer layout ({said['layout']}; this one knows "
                f"{LAYOUT}). Nothing was changed. Restore it with that version."
            )
        return Manifest(
            paramedic=str(said["paramedic"]),
            made_at=int(said["made_at"]),
            entries=int(said["entries"]),
            last_entry_at=int(said["last_entry_at"]),
            secrets=bool(said["secrets"]),
            parts=tuple(_part(part, file) for part in said["parts"]),
        )
    except (ValueError, KeyError, TypeError) as problem:
        raise NoBackup(f"{file} is no backup of Paramedic: its manifest cannot be read") from problem


def _part(said: dict[str, Any], file: str) -> Part:
    part = Part(str(said["name"]), int(said["bytes"]), str(said["sha256"]))
    if not is_part(part.name) or part.bytes < 0:
        raise foreign(file, part.name)
    return part


def foreign(file: str, name: str) -> NoBackup:
    """The refusal of a file that holds what does not belong into a data folder."""
    return NoBackup(f"{file} holds {name!r}, which no backup of Paramedic holds. Nothing was restored.")
