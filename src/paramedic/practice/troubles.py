"""What awaits the next starts of an engine: one file a trouble in the data folder, until somebody mends it."""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path


class Stage(StrEnum):
    """Where in its start the engine meets the trouble."""

    ARGUMENTS = "arguments"
    LOADING = "loading"
    KV_CACHE = "kv-cache"
    CAPTURING = "capturing"
    NEVER = "never"  # it is outside of the engine


class Manner(StrEnum):
    """What the trouble does to the start."""

    FAILS = "fails"
    STANDS_STILL = "stands-still"
    SLOW = "slow"


@dataclass(frozen=True, slots=True)
class Trouble:
    """The fault that it belongs to, also the name of its log lines. `seconds` is how long a slow stage takes."""

    fault: str
    stage: Stage
    manner: Manner = Manner.FAILS
    seconds: float = 0.0


def put(data_dir: Path, port: int, trouble: Trouble) -> None:
    """From now on the engine on this port meets it."""
    path = _folder(data_dir) / str(port) / f"{trouble.fault}.json"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(asdict(trouble)), "utf-8")
    fresh.replace(path)


def is_there(data_dir: Path, port: int | None, fault: str) -> bool:
    """Whether the engine on this port, or on any, is in this trouble."""
    return bool(_paths(data_dir, port, fault))


def take_away(data_dir: Path, port: int | None, fault: str) -> bool:
    """End the trouble, on this port or on all; whether there was any."""
    paths = _paths(data_dir, port, fault)
    for path in paths:
        path.unlink(missing_ok=True)
    return bool(paths)


def at_stage(data_dir: str, port: int, stage: Stage) -> Trouble | None:
    """The trouble of the engine on this port at that stage of its start."""
    for path in _paths(Path(data_dir), port, "*"):
        try:
            known = json.loads(path.read_text("utf-8"))
            trouble = Trouble(known["fault"], Stage(known["stage"]), Manner(known["manner"]), float(known["seconds"]))
        except (OSError, ValueError, KeyError, TypeError):
            continue  # being mended, or not ours
        if trouble.stage is stage:
            return trouble
    return None


def _paths(data_dir: Path, port: int | None, fault: str) -> list[Path]:
    return sorted(_folder(data_dir).glob(f"{'*' if port is None else port}/{fault}.json"))


def _folder(data_dir: Path) -> Path:
    return data_dir / "practice" / "troubles"
