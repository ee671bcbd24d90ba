"""Numbers over time: when a condition held, how a value stood against its own history or a recorded baseline."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from paramedic.diagnosis.conditions import Value
from paramedic.diagnosis.pattern import ARGUMENT, Compared, MetricsSight
from paramedic.diagnosis.scene import Held, Window
from paramedic.model.sample import LabelSet
from paramedic.signals.evaluate import Evaluator
from paramedic.signals.expression import EvaluationError
from paramedic.signals.promql import PromQLError
from paramedic.signals.series import Series

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

WINDOW = "$window"
BEST = 0.25  # share of the time for which a value must have been at least as good as what counts as usual
STEPS = 400  # at which a condition is judged, at most
SHORTEST = 10.0  # seconds of a range that rates are taken over, at least
GAP = 6.0  # seconds: shorter interruptions do not end a window


@dataclass(frozen=True, slots=True)
class Times:
    """From when until when samples were taken, epoch seconds, and every how many seconds."""

    since: float
    until: float
    every: float = 1.0


class SampledNumbers:
    """The samples of one target over a time, asked in PromQL over our vocabulary.

    `times` says when they were taken. In a condition `$window` stands for a range that holds enough scrapes for a
    rate, and `$name` for an argument of the engine. `now`: only what holds at the end of the time counts.
    """

    def __init__(
        self,
        evaluator: Evaluator,
        target: str,
        times: Times,
        *,
        now: bool = False,
        baseline: "SampledNumbers | None" = None,
    ) -> None:
        self._evaluator = evaluator
        self._target = target
        self._now = now
        self._baseline = baseline
        self.step = max(times.every, 1.0, float(round((times.until - times.since) / STEPS)))
        self._range = f"{max(SHORTEST, 4 * times.every):g}"
        steps = int((times.until - times.since) / self.step) + 1
        self.times: Floats = times.until - self.step * np.arange(steps - 1, -1, -1, dtype=np.float64)
        self._known: dict[str, Floats | None] = {}

    def held(self, sight: MetricsSight, arguments: Mapping[str, Value]) -> Held | None:
        """When everything of it held together, for as long as it asks; None where it never did, or cannot be told."""
        if self._now and not all(self._holds_now(condition, arguments) for condition in sight.conditions):
            return None
        flags = np.ones(len(self.times), dtype=bool)
        for condition in sight.conditions:
            if not flags.any():
                return None
            values = self.values_of(condition, arguments)
            if values is None:
                return None
            flags &= ~np.isnan(values)
        for compared in sight.compared:
            if not flags.any():
                return None
            flags &= self._stands_out(compared, arguments)
        late = float(self._range) / 2 if any(WINDOW in text for text in sight.decisive()) else 0.0
        # What holds now has held for long: the alert that asks has waited before it fired.
        windows = self._windows(flags, 0.0 if self._now else sight.seconds, late)
        if not windows:
            return None
        return Held(windows, self._figures(sight.figures, windows[0], late, arguments))

    def _stands_out(self, compared: Compared, arguments: Mapping[str, Value]) -> Flags:
        """Where the value is so many times what it has been under a load that was no lighter."""
        found = np.zeros(len(self.times), dtype=bool)
        reference = self._baseline if compared.than == "baseline" else self
        if reference is None:
            return found
        value, usual = self.values_of(compared.value, arguments), reference.values_of(compared.value, arguments)
        if value is None or usual is None:
            return found
        alike = self._alike(compared, reference, arguments)
        needed = max(3, round(compared.lasting / reference.step))
        for index in np.flatnonzero(~np.isnan(value)):
            known = usual[alike[index] & ~np.isnan(usual)]
            if len(known) < needed:
                continue
            limit = compared.times * _usual(known, needed, compared.below)
            found[index] = value[index] <= limit if compared.below else value[index] >= limit
        return found

    def _alike(self, compared: Compared, reference: "SampledNumbers", arguments: Mapping[str, Value]) -> Flags:
        """Which times of the reference (columns) had a load no lighter than each of ours (rows)."""
        alike = np.ones((len(self.times), len(reference.times)), dtype=bool)
        if compared.than == "earlier":
            alike &= reference.times[None, :] < self.times[:, None]
        for load in compared.loads:
            now, then = self.values_of(load.value, arguments), reference.values_of(load.value, arguments)
            if now is None or then is None:
                return np.zeros_like(alike)
            with np.errstate(invalid="ignore"):
                alike &= now[:, None] <= then[None, :] * load.within
        return alike

    def values_of(self, text: str, arguments: Mapping[str, Value]) -> Floats | None:
        """The expression's value at each step, NaN where it has none; None where it cannot be asked."""
        filled = self._filled(text, arguments)
        if filled is None:
            return None
        if filled not in self._known:
            self._known[filled] = self._asked(filled)
        return self._known[filled]

    def _filled(self, text: str, arguments: Mapping[str, Value]) -> str | None:
        known = {**arguments, "window": f"{self._range}s"}
        if not all(name in known for name in ARGUMENT.findall(text)):
            return None
        return ARGUMENT.sub(lambda found: _plain(known[found[1]]), text)

    def _asked(self, text: str) -> Floats | None:
        step = int(self.step * 1000)
        if not len(self.times):
            return self.times
        try:
            series = self._evaluator.over(text, int(self.times[0] * 1000), int(self.times[-1] * 1000), step)
        except (PromQLError, EvaluationError):
            return None
        return self._largest([each for each in series if self._is_mine(each.labels)])

    def _holds_now(self, text: str, arguments: Mapping[str, Value]) -> bool:
        """A cheap look at the last moment, before all the others are looked at."""
        filled = self._filled(text, arguments)
        if filled is None or not len(self.times):
            return False
        try:
            vector = self._evaluator.vector(filled, int(self.times[-1] * 1000))
        except (PromQLError, EvaluationError):
            return False
        return any(self._is_mine(labels) for labels, _ in vector)

    def _is_mine(self, labels: LabelSet) -> bool:
        """A value that names no target is everybody's."""
        return dict(labels).get("target", self._target) == self._target

    def _largest(self, series: Sequence[Series]) -> Floats:
        """One number a step: of several series the largest."""
        values = np.full(len(self.times), np.nan)
        for each in series:
            places = np.rint((each.times / 1000 - self.times[0]) / self.step).astype(np.int64)
            values[places] = np.fmax(values[places], each.values)
        return values

    def _windows(self, flags: Flags, at_least: float, late: float) -> tuple[Window, ...]:
        """The stretches of time in which it held, near ones joined, the longest first."""
        joined: list[list[float]] = []
        for time in self.times[flags]:
            if joined and time - joined[-1][1] <= max(GAP, 3 * self.step):
                joined[-1][1] = float(time)
            else:
                joined.append([float(time), float(time)])
        windows = [Window(begin - late, end - late) for begin, end in joined if end - begin >= at_least]
        if self._now:
            windows = [window for window in windows if window.until + late >= self.times[-1]]
        return tuple(sorted(windows, key=lambda window: -window.seconds))

    def _figures(
        self, figures: Mapping[str, str], window: Window, late: float, arguments: Mapping[str, Value]
    ) -> dict[str, str]:
        """Each figure in the middle of its values then, and as NAME_else at the other times."""
        inside = (self.times - late >= window.since) & (self.times - late <= window.until)
        found = {"seconds": f"{window.seconds:.0f}"}
        for name, text in figures.items():
            values = self.values_of(text, arguments)
            if values is None:
                continue
            for key, place in ((name, inside), (f"{name}_else", ~inside)):
                known = values[place & ~np.isnan(values)]
                if len(known):
                    found[key] = _shown(float(np.median(known)))
        if self._baseline is not None:
            for name, text in figures.items():
                usual = self._baseline.values_of(text, arguments)
                known = np.array([]) if usual is None else usual[~np.isnan(usual)]
                if len(known):
                    found[f"{name}_baseline"] = _shown(float(np.median(known)))
        return found


def _usual(known: Floats, needed: int, high: bool) -> float:
    """The best that it was for so many steps, and for a share of the time: a fault may hold most of the time."""
    best_first = np.sort(-known if high else known)
    value = float(best_first[max(needed, round(len(known) * BEST)) - 1])
    return -value if high else value


def _plain(value: Value) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _shown(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
