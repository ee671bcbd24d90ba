"""Which log a person means: a file, the one in a folder or a bundle, or that of a server by its name or address."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from paramedic.app.bundle_unpack import is_archive, unpacked
from paramedic.model.errors import CouldNotTell, InvalidFiles, Problem

STDIN = "-"


@contextmanager
def server_log(word: str, data_dir: Path) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """The log's path, and the server's command line where its process is seen; both for as long as they are looked at.

    `word` "" is the only server of this machine. Raises UsageError, InvalidFiles or CouldNotTell.
    """
    path = Path(word) if word else None
    if path is not None and path.is_dir():
        yield _in_folder(path, word), ()
    elif path is not None and path.is_file() and is_archive(path):
        with unpacked(path) as (folder, _):
            yield _in_folder(folder, word), ()
    elif path is not None and (word == STDIN or path.exists() or _is_path(word)):
        yield path, ()
    else:
        from paramedic.app.recorder_run import find  # what a daemon is built of: a file needs none of it

        subject = find(word, data_dir)
        if not subject.log:
            raise CouldNotTell(f"where {subject.target.name} writes its log is not known: give the file")
        yield Path(subject.log), subject.argv


def _is_path(word: str) -> bool:
    return "://" not in word and ("/" in word or word.endswith((".log", ".gz", ".txt")))


def _in_folder(folder: Path, name: str) -> Path:
    found = sorted({*folder.glob("*.log"), *folder.glob("*.log.gz")})
    whole = [each for each in found if each.name in ("server.log", "server.log.gz")] or found
    if len(whole) != 1:
        raise InvalidFiles([Problem(name, 0, f"holds {len(found)} logs", "give the one that is meant")])
    return whole[0]
