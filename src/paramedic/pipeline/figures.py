"""From one scrape to what tells work and progress, by the engine's vocabulary."""

from collections.abc import Sequence

from paramedic.model.sample import LabelSet
from paramedic.signals.liveness import Figures
from paramedic.signals.vocabulary import RawName, Vocabulary

_WORK = ("llm:requests_running", "llm:requests_waiting")
_GENERATED = "llm:generation_tokens_total"
_MOVING = (*_WORK, _GENERATED, "llm:prompt_tokens_total", "llm:kv_cache_usage", "llm:steps_total")
_AWAKE = "llm:engine_awake"


class FigureReader:
    """Knows which raw names carry which figure; remembers their places from scrape to scrape."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._wanted: dict[str, tuple[str, RawName]] = {}
        for name in (*_MOVING, _AWAKE):
            for raw in vocabulary.resolve(name) or ():
                self._wanted[raw.name] = (name, raw)
        self._series: Sequence[LabelSet] | None = None
        self._places: dict[str, list[int]] = {}

    def read(self, series: Sequence[LabelSet], values: Sequence[float]) -> Figures | None:
        """None when the scrape shows no engine at all: absent is not zero."""
        if series is not self._series:
            self._places = {}
            for place, labels in enumerate(series):
                name, raw = self._wanted.get(_name(labels), ("", None))
                if raw is not None and all(pair in labels for pair in raw.labels):
                    self._places.setdefault(name, []).append(place)
            self._series = series
        if not any(self._numbers(values, name) for name in _WORK):
            return None
        awake = [values[place] for place in self._numbers(values, _AWAKE)]
        return Figures(
            moved=tuple(values[place] for name in _MOVING for place in self._numbers(values, name)),
            work=self._sum(values, *_WORK),
            generated=self._sum(values, _GENERATED),
            asleep=bool(awake) and not any(awake),
        )

    def _sum(self, values: Sequence[float], *names: str) -> float:
        return sum(values[place] for name in names for place in self._numbers(values, name))

    def _numbers(self, values: Sequence[float], name: str) -> list[int]:
        """Where the figure stands. NaN is no figure: it differs even from itself, and would look like progress."""
        return [place for place in self._places.get(name, ()) if values[place] == values[place]]


def _name(labels: LabelSet) -> str:
    return next((value for key, value in labels if key == "__name__"), "")
