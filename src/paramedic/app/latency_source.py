"""Where the figures of a latency come from: a watch's samples, a recording, scrapes in a file, or a look right now."""

import asyncio
import gzip
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from paramedic.adapters.recordings.folder import is_recording, read_folder
from paramedic.adapters.recordings.scrapes import engine_scrapes
from paramedic.adapters.storage.samples_memory import MemorySamples
from paramedic.adapters.storage.samples_sqlite import SqliteSamples
from paramedic.app.bundle_unpack import is_archive, unpacked
from paramedic.app.folder import DataFolder
from paramedic.diagnosis.scene import Log
from paramedic.diagnosis.window_figures import Samples
from paramedic.knowledge.yaml_file import near
from paramedic.model.errors import CouldNotTell, InvalidFiles, Problem
from paramedic.signals.series import Matcher

if TYPE_CHECKING:
    from paramedic.app.recorder_target import Subject

Told = Callable[[float], None]  # seconds done
Tell = Callable[[str, float], AbstractContextManager[Told]]  # of a look at this server, for so many seconds
STORED_S, LIVE_S = 300.0, 30.0  # how far to look back, and how long to look where nothing is stored
EVERY_S = 1.0
RETENTION_MS = 30 * 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Source:
    """Figures to be asked, and what goes with them. Epoch seconds; `newest` is when somebody last looked.

    `arguments` is None where nobody knows how the server was started; `log` is a file that is still to be read.
    """

    name: str
    samples: Samples
    oldest: float
    newest: float
    matchers: tuple[Matcher, ...] = ()
    arguments: tuple[str, ...] | None = None
    logs: tuple[Log, ...] = ()
    log: Path | None = None


@contextmanager
def source_of(word: str, data_dir: Path, window: float | None, told: Tell) -> Iterator[Source]:
    """The source that a person means: a file, a folder, a bundle, an address or a watched server's name.

    A server that nobody watches is looked at for `window` seconds. Raises UsageError, InvalidFiles or CouldNotTell.
    """
    path = Path(word) if word else Path()
    if word and path.is_dir():
        yield _of_folder(path, word)
    elif word and path.is_file() and is_archive(path):
        with unpacked(path) as (folder, _):
            yield _of_folder(folder, word)
    elif word and (path.is_file() or ("/" in word and "://" not in word)):
        yield _of_scrapes(path)
    else:
        from paramedic.app.recorder_run import find  # what a daemon is built of: a file needs none of it

        yield from _of_server(find(word, data_dir), data_dir, window, told)


def _of_folder(folder: Path, name: str) -> Source:
    if not is_recording(folder):
        problem = Problem(name, 0, "is no recording", "it holds no scrapes: see `paramedic record --help`")
        raise InvalidFiles([problem])
    recording = read_folder(folder)
    if recording.until <= recording.since:
        raise CouldNotTell(f"{name} holds fewer than two scrapes: a window needs a begin and an end")
    arguments = recording.arguments or None
    return Source(name, recording.samples, recording.since, recording.until, (), arguments, recording.logs)


def _of_scrapes(path: Path) -> Source:
    """A text of scrapes one after the other, each headed `# t=EPOCH status=200`, packed or not."""
    try:
        packed = path.read_bytes()
        text = gzip.decompress(packed) if packed[:2] == b"\x1f\x8b" else packed
    except FileNotFoundError as error:
        raise InvalidFiles([Problem(str(path), 0, "cannot be read: no such file", near(path))]) from error
    except OSError as error:
        raise InvalidFiles([Problem(str(path), 0, f"cannot be read: {error.strerror or 'it is damaged'}")]) from error
    except (EOFError, zlib.error) as error:
        raise InvalidFiles([Problem(str(path), 0, "its packing is damaged or cut off")]) from error
    labels = {"target": path.name, "job": "engine", "instance": path.name}
    scrapes = list(engine_scrapes(text.decode("utf-8", "replace").split("\n"), labels))
    answered = [scrape for scrape in scrapes if scrape.series]
    if len(answered) < 2:
        hint = "each is headed `# t=EPOCH status=200`, and a window needs two of them"
        raise InvalidFiles([Problem(str(path), 0, f"holds {len(answered)} scrapes", hint)])
    samples = MemorySamples(RETENTION_MS)
    for scrape in scrapes:
        samples.append(scrape)
    return Source(str(path), samples, answered[0].at / 1e9, answered[-1].at / 1e9)


def _of_server(subject: "Subject", data_dir: Path, window: float | None, told: Tell) -> Iterator[Source]:
    """A watched server's samples where there are some; else a look at it for a while."""
    name = subject.target.name
    log = Path(subject.log) if subject.log else None
    folder = DataFolder(data_dir).samples
    if subject.known is not None and folder.exists():
        samples = SqliteSamples.open_read_only(folder)
        try:
            if samples.newest_ms:
                matchers = (Matcher("target", "=", name),)
                yield Source(name, samples, 0.0, time.time(), matchers, subject.argv or None, (), log)
                return
        finally:
            samples.close()
    seconds = window or LIVE_S
    with tempfile.TemporaryDirectory(prefix="paramedic-") as made:  # mode 0700
        with told(name, seconds) as tell:
            asyncio.run(_look(subject, Path(made), data_dir, seconds, tell))
        found = _of_folder(Path(made), name)
        yield Source(name, found.samples, found.oldest, found.newest, (), subject.argv or None, found.logs, log)


async def _look(subject: "Subject", folder: Path, data_dir: Path, seconds: float, told: Told) -> None:
    """A second more than asked for: a window begins and ends with a scrape."""
    from paramedic.app.config_file import load
    from paramedic.app.recorder_run import record

    config, stop = load().config, asyncio.Event()
    await record(subject, folder, data_dir, config, seconds=seconds + EVERY_S, interval=EVERY_S, stop=stop, told=told)
