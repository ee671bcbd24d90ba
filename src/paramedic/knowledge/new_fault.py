"""A new fault to fill in: its file with a sentence on every key, and the place of its proof."""

import re
from pathlib import Path

from paramedic.knowledge.folder import Folder, folder_of
from paramedic.model.errors import UsageError

ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+")
BLANK = Path(__file__).parent / "blank"


def write_new_fault(id_: str, folder: Folder) -> tuple[Path, Path]:
    """Write FOLDER/faults/ID.yaml and an empty proof; nothing that is there is overwritten.

    Raises UsageError for an id that cannot be one, or that is taken.
    """
    if not ID.fullmatch(id_):
        raise UsageError(f"{id_!r} is no id of a fault (write small letters with hyphens: disk-too-slow)")
    fault, proof = folder.path / "faults" / f"{id_}.yaml", folder.proofs / id_ / "1.log"
    for path in (folder_of().path / "faults" / fault.name, fault, proof):
        if path.exists():
            raise UsageError(f"{path} is already there (choose another id, or edit that file)")
    for path, text in ((fault, (BLANK / "fault.yaml").read_text("utf-8")), (proof, "")):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return fault, proof
