"""Unpacking a bundle that somebody sent: checked piece by piece, into a folder of its own, never more than it says."""

import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from paramedic.app.bundle import MANIFEST_LIMIT, Manifest, NoBundle, foreign, read_manifest
from paramedic.app.packed import BLOCK, MANIFEST, PackedFile, Part

LIMIT = 512 * BLOCK  # of all parts together, and of what each packed part unpacks to
_GZIP = b"\x1f\x8b"


def is_archive(file: Path) -> bool:
    """Whether it is a packed tar file, and no log that is merely packed."""
    try:
        with file.open("rb") as begin:
            if begin.read(2) != _GZIP:
                begin.seek(257)
                return begin.read(5) == b"ustar"
            begin.seek(0)
            head = zlib.decompressobj(wbits=31).decompress(begin.read(4096), 512)
    except (OSError, zlib.error):
        return False
    return head[257:262] == b"ustar"


@contextmanager
def unpacked(file: Path) -> Iterator[tuple[Path, Manifest]]:
    """The folder that a bundle holds, for as long as it is looked at; NoBundle where it is none or not whole."""
    with tempfile.TemporaryDirectory(prefix="paramedic-") as made:  # mode 0700
        folder = Path(made)
        yield folder, _unpack_into(folder, file)


def _unpack_into(folder: Path, file: Path) -> Manifest:
    none = NoBundle(f"{file} is no recording of Paramedic, or it is cut off: it cannot be unpacked")
    with PackedFile(file, "r:*", partial(_torn, file), none) as packed:
        said = packed.manifest(MANIFEST_LIMIT)
        if said is None:
            raise NoBundle(
                f"{file} is no recording of Paramedic: it does not begin with a {MANIFEST}. "
                "Is it a packed folder? Unpack it, and give the folder."
            )
        manifest = read_manifest(said, str(file))
        if sum(part.bytes for part in manifest.parts) > LIMIT:
            raise NoBundle(f"{file} would unpack to more than {LIMIT // BLOCK} MB. Nothing was unpacked.")
        packed.unpack(manifest.parts, folder, partial(foreign, str(file)), _Inside(file).look)
    return manifest


class _Inside:
    """What a packed part unpacks to is counted before anybody reads it: a small file may hold gigabytes."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._part: Part | None = None

    def look(self, part: Part, block: bytes) -> None:
        if not part.name.endswith(".gz"):
            return
        if part is not self._part:
            self._part, self._packed, self._size = part, zlib.decompressobj(wbits=31), 0
        try:
            while block:
                self._size += len(self._packed.decompress(block, BLOCK))
                block = self._packed.unconsumed_tail
                if self._size > LIMIT:
                    raise NoBundle(f"{self._file}: its {part.name} would unpack to more than {LIMIT // BLOCK} MB")
        except zlib.error as problem:
            raise _torn(self._file, f"{part.name} cannot be unpacked") from problem


def _torn(file: Path, why: str) -> NoBundle:
    return NoBundle(f"{file} is cut off or damaged: {why}. Ask for it again.")
