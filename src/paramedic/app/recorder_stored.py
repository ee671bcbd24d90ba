"""A recording of what a data folder has kept: samples, journal, the log that is still there."""

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from paramedic.adapters.logs.elsewhere import Logs
from paramedic.adapters.storage.samples_sqlite import SqliteSamples
from paramedic.app.recorder_folder import LOG_BYTES, RecordingFolder
from paramedic.journal.about import target_of
from paramedic.journal.codec import Entry, document
from paramedic.journal.plain import to_plain
from paramedic.journal.views import TargetView, View
from paramedic.model.sample import LabelSet
from paramedic.model.target import EngineProcess, EngineState, Exit
from paramedic.model.text import Text
from paramedic.signals.series import Matcher, Series, is_stale

OWN = "paramedic_"  # our samples about an engine, which it did not say itself
GIVEN = ("target", "instance", "job")  # labels that a scrape did not have
KEPT_NS = 1_800_000_000_000  # before an incident

NO_SAMPLES = Text("no samples of that time are kept", "没有保存那段时间的监控数据")
LOG_GONE = Text("{path} cannot be read any more", "{path} 已无法读取")
NO_LOG = Text(
    "it is not known where it is written, or it is no file: give --log",
    "不知道日志写在哪里，或不是文件：请用 --log 指定",
)


def stored_scrapes(samples: Path, target: str, start_ms: int, end_ms: int) -> Iterator[tuple[float, list[str]]]:
    """(epoch seconds, sample lines) of each scrape of that server, as it was exposed."""
    store = SqliteSamples.open_read_only(samples)
    try:
        found = store.select([Matcher("target", "=", target), Matcher("__name__", "!~", OWN + ".*")], start_ms, end_ms)
    finally:
        store.close()
    yield from _by_time(found)


def _by_time(found: Sequence[Series]) -> Iterator[tuple[float, list[str]]]:
    if not found:
        return
    times = np.unique(np.concatenate([series.times for series in found]))
    keys = [exposed(series.labels) for series in found]
    rows: list[list[str]] = [[] for _ in times]
    for key, series in zip(keys, found, strict=True):
        ended = is_stale(series.values)
        places = np.searchsorted(times, series.times)
        for place, value, stale in zip(places.tolist(), series.values.tolist(), ended.tolist(), strict=True):
            if not stale:
                rows[place].append(f"{key} {_number(value)}")
    for time, lines in zip(times.tolist(), rows, strict=True):
        yield time / 1000, lines


def exposed(labels: LabelSet) -> str:
    """A series as its server exposed it: without the labels that our scrape gave it."""
    name = next((value for key, value in labels if key == "__name__"), "")
    pairs = [
        f'{key.removeprefix("exported_")}="{_escaped(value)}"'
        for key, value in labels
        if key not in GIVEN and key != "__name__"
    ]
    return f"{name}{{{','.join(pairs)}}}" if pairs else name


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return repr(value) if math.isfinite(value) else f"{'+' if value > 0 else '-'}Inf"


def write_stored(
    out: RecordingFolder, samples: Path, known: TargetView, entries: Sequence[Entry], since_ns: int, until_ns: int
) -> None:
    """Samples, log and journal of a server from `since_ns` to `until_ns`, into a recording."""
    count = 0
    for at, lines in stored_scrapes(samples, known.target.name, since_ns // 1_000_000, until_ns // 1_000_000):
        out.samples(at, lines)
        count += 1
    if not count:
        out.could_not["metrics"] = NO_SAMPLES
    write_log(out, known.log or known.target.log)
    write_events(out, entries)


def write_log(out: RecordingFolder, path: str) -> None:
    """The last part of a log."""
    if not path:
        out.could_not["log"] = NO_LOG
        return
    source = Logs().open(path)
    try:
        chunk = source.tail(LOG_BYTES)
    finally:
        source.close()
    out.log(chunk, {})
    if not chunk.lines:
        out.could_not["log"] = Text(LOG_GONE.en.format(path=path), LOG_GONE.zh.format(path=path))


def write_events(out: RecordingFolder, entries: Sequence[Entry]) -> None:
    """What the journal says of it, an event a line."""
    out.lines("events.jsonl", [json.dumps(document(entry), ensure_ascii=False) for entry in entries])


def write_watched(
    out: RecordingFolder, state: EngineState, exits: Sequence[Exit] = (), orphans: Sequence[EngineProcess] = ()
) -> None:
    """What a watcher knew of its processes; no log says it."""
    said = {
        "state": str(state),
        "by_person": state is EngineState.STOPPED,
        "exits": [to_plain(one) for one in exits],
        "orphans": [to_plain(one) for one in orphans],
    }
    out.document("watched.json", said)


def entries_about(entries: Sequence[Entry], view: View, target: str, since_ns: int, until_ns: int) -> list[Entry]:
    """Those of a server in a time."""
    return [entry for entry in entries if since_ns <= entry.at <= until_ns and target_of(entry.event, view) == target]
