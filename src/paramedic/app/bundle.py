"""A bundle: one recording of a server in one tar.gz, with a manifest, to be diagnosed wherever it is carried."""

import hashlib
import io
import json
import os
import re
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from paramedic.app.packed import MANIFEST, Part
from paramedic.model.errors import ParamedicError, UsageError
from paramedic.model.text import Text, as_written

KIND = "paramedic-recording"
FORMAT = 1
MANIFEST_LIMIT = 1_000_000  # bytes
NAME = re.compile(r"[a-z][a-z0-9_-]{0,40}(?:\.[a-z0-9]{1,8}){1,3}")  # flat: it leads nowhere

PARTS = {  # what a recording may lack
    "log": Text("the server's log", "服务日志"),
    "metrics": Text("its metrics", "监控指标"),
    "arguments": Text("its arguments", "启动参数"),
    "environment": Text("its environment", "环境变量"),
    "processes": Text("its processes", "进程"),
    "host": Text("the host", "主机状态"),
    "gpu": Text("the GPU", "GPU 状态"),
    "kernel-log": Text("the kernel's log", "内核日志"),
}

Progress = Callable[[int, int], None]
"""(bytes done, bytes in all)"""


class NoBundle(UsageError):
    """The file is no bundle of Paramedic, or no longer a whole one."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a bundle says of itself; its first part. Times are epoch seconds, `made_at` UTC nanoseconds."""

    paramedic: str  # the version that made it
    made_at: int
    since: float
    until: float
    target: str
    facts: Mapping[str, Any] = field(default_factory=dict)  # engine, machine, log, incident
    could_not: tuple[tuple[str, Text], ...] = ()  # (what was not seen, why)
    parts: tuple[Part, ...] = ()

    def to_json(self) -> bytes:
        said = {
            "kind": KIND,
            "format": FORMAT,
            "paramedic": self.paramedic,
            "made_at": self.made_at,
            "from": self.since,
            "to": self.until,
            "target": self.target,
            **self.facts,
            "could_not": [{"what": what, "why": why.en, "why_zh": why.zh} for what, why in self.could_not],
            "parts": [{"name": part.name, "bytes": part.bytes, "sha256": part.sha256} for part in self.parts],
        }
        return json.dumps(said, indent=1, ensure_ascii=False).encode()


_OWN = ("kind", "format", "paramedic", "made_at", "from", "to", "target", "could_not", "parts")


def read_manifest(raw: bytes, file: str) -> Manifest:
    """Raises NoBundle for what no Paramedic wrote, UsageError for what a newer one did."""
    try:
        said = json.loads(raw)
        if said["kind"] != KIND:
            raise NoBundle(f"{file} is no recording of Paramedic: its manifest is another program's")
        if said["format"] > FORMAT:
            raise UsageError(
                f"{file} was recorded by Paramedic {said['paramedic']} in a newer format ({said['format']}; this one "
                f"knows {FORMAT}). Diagnose it with that version or a newer one."
            )
        manifest = Manifest(
            paramedic=str(said["paramedic"]),
            made_at=int(said["made_at"]),
            since=float(said["from"]),
            until=float(said["to"]),
            target=str(said["target"]),
            facts={key: value for key, value in said.items() if key not in _OWN},
            could_not=tuple((str(one["what"]), _why(one)) for one in said["could_not"]),
            parts=tuple(Part(str(p["name"]), int(p["bytes"]), str(p["sha256"])) for p in said["parts"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise NoBundle(f"{file} is no recording of Paramedic: its manifest cannot be read") from problem
    for part in manifest.parts:
        if not NAME.fullmatch(part.name) or part.bytes < 0:
            raise foreign(file, part.name)
    return manifest


def _why(said: Mapping[str, Any]) -> Text:
    return Text(str(said["why"]), str(said.get("why_zh", said["why"])))


def not_seen(could_not: Iterable[tuple[str, Text]]) -> tuple[Text, ...]:
    """What a recording could not see, in sentences."""
    return tuple(
        Text(f"{known.en}: {why.en}", f"{known.zh}：{why.zh}")
        for what, why in could_not
        for known in (PARTS.get(what, as_written(what)),)
    )


def foreign(file: str, name: str) -> NoBundle:
    """The refusal of a file that holds what no recording holds."""
    return NoBundle(f"{file} holds {name!r}, which no recording of Paramedic holds. Nothing was unpacked.")


def refuse_to_overwrite(file: Path, *, force: bool) -> None:
    """Raises UsageError where the file cannot become a bundle."""
    if file.is_dir():
        raise UsageError(f"{file} is a folder: name a file in it, such as {file / 'recording.tar.gz'}")
    if os.path.lexists(file) and not force:
        raise UsageError(f"{file} exists: name another file, or say --force to replace it")
    if not file.parent.is_dir():
        raise UsageError(f"{file}: there is no folder {file.parent}")
    if not os.access(file.parent, os.W_OK):
        raise UsageError(f"{file}: you may not write into {file.parent}")


def pack(
    folder: Path, file: Path, manifest: Manifest, *, force: bool, progress: Progress = lambda done, total: None
) -> Manifest:
    """Put every file of `folder` into the bundle `file`: whole or not at all, readable by its owner alone."""
    refuse_to_overwrite(file, force=force)
    names = sorted(path.name for path in folder.iterdir() if NAME.fullmatch(path.name) and path.name != MANIFEST)
    parts = tuple(_part(folder / name) for name in names)
    manifest = replace(manifest, parts=parts)
    try:
        descriptor, draft = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")  # mode 0600
        try:
            with open(descriptor, "wb") as out:  # noqa: PTH123 (a descriptor)
                _write(out, folder, manifest, progress)
                out.flush()
                os.fsync(out.fileno())
            refuse_to_overwrite(file, force=force)
            Path(draft).replace(file)
        finally:
            Path(draft).unlink(missing_ok=True)
    except OSError as error:
        raise ParamedicError(
            f"{file}: the recording cannot be saved: {error.strerror}. Nothing was left behind."
        ) from error
    return manifest


def _part(path: Path) -> Part:
    with path.open("rb") as content:
        return Part(path.name, path.stat().st_size, hashlib.file_digest(content, "sha256").hexdigest())


def _write(out: Any, folder: Path, manifest: Manifest, progress: Progress) -> None:
    total, done = sum(part.bytes for part in manifest.parts), 0
    with tarfile.open(fileobj=out, mode="w:gz", compresslevel=6, format=tarfile.PAX_FORMAT) as tar:
        said = manifest.to_json()
        tar.addfile(_entry(MANIFEST, len(said), manifest.made_at), io.BytesIO(said))
        for part in manifest.parts:
            with (folder / part.name).open("rb") as content:
                tar.addfile(_entry(part.name, part.bytes, manifest.made_at), content)
            done += part.bytes
            progress(done, total)


def _entry(name: str, size: int, made_at: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = size, 0o600, made_at // 1_000_000_000
    return entry
