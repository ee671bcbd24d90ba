"""Recordings as scenes of a diagnosis: what was kept of an engine is asked as a live one's samples are."""

from dataclasses import replace
from pathlib import Path

from paramedic.adapters.recordings.folder import Recording, is_recording, read_folder
from paramedic.diagnosis.numbers import SampledNumbers, Times
from paramedic.diagnosis.scene import Scene
from paramedic.knowledge.lexicon import shipped_vocabulary
from paramedic.model.target import EngineState
from paramedic.signals.evaluate import Evaluator

__all__ = ["is_recording", "read_recording"]


def read_recording(folder: Path, baseline: Path | None = None) -> Scene:
    """The scene that a folder keeps; `baseline` is the recording of a good time to compare it with.

    Raises InvalidFiles with every file of either that cannot be read.
    """
    recording = read_folder(folder)
    scene = Scene(
        logs=recording.logs,
        arguments=recording.arguments,
        exits=recording.seen.exits,
        orphans=recording.seen.orphans,
        state=EngineState.DEAD if recording.seen.orphans else None,
    )
    known = _numbers(read_folder(baseline)) if baseline else None
    return replace(scene, numbers=_numbers(recording, known))


def _numbers(recording: Recording, baseline: SampledNumbers | None = None) -> SampledNumbers | None:
    """The samples of a recording; a series that nobody renewed is not looked at for long."""
    if recording.until <= recording.since:
        return None
    lookback = max(5.0, 3 * recording.every)
    evaluator = Evaluator(recording.samples, shipped_vocabulary(), round(lookback * 1000))
    times = Times(recording.since, recording.until, recording.every)
    return SampledNumbers(evaluator, recording.name, times, baseline=baseline)
