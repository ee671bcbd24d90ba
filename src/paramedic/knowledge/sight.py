"""Reading one way in which a fault shows itself."""

from paramedic.diagnosis.match import UNKNOWN
from paramedic.diagnosis.pattern import ExitSight, Sight, StatsSight
from paramedic.diagnosis.stats_line import NUMBERS
from paramedic.knowledge.fields import Fields
from paramedic.knowledge.metrics_sight import Figures, read_metrics
from paramedic.knowledge.yaml_file import did_you_mean
from paramedic.model.target import EngineState, Role

KEYS = (
    "log", "unless", "stages", "roles", "after", "numbers", "ended_by", "within", "stats", "arguments", "states",
    "exits", "orphans", "metrics", "compared", "for", "figures", "confidence", "advice",
)  # fmt: skip
SHOWING = ("log", "stats", "arguments", "states", "exits", "orphans", "metrics", "compared")


def read_sight(fields: Fields, known_stages: frozenset[str], figures: Figures) -> Sight:
    """One entry of `seen:`; mistakes are noted in its file."""
    fields.only(*KEYS)
    if not any(key in fields for key in SHOWING):
        fields.wrong("", "this sight shows nothing", f"give one of {', '.join(SHOWING)}")
    stages = fields.strings("stages")
    for stage in stages:
        if stage not in known_stages and stage != UNKNOWN:
            fields.wrong("stages", f"unknown stage {stage!r}", did_you_mean(stage, known_stages))
    confidence = fields.number("confidence", 0.95)
    if not 0 < confidence <= 1:
        fields.wrong("confidence", "confidence lies between 0 and 1")
    return Sight(
        log=fields.templates("log"),
        unless=fields.templates("unless"),
        stages=stages,
        roles=fields.choices("roles", Role),
        after=fields.templates("after"),
        numbers=fields.comparisons("numbers"),
        ended_by=fields.templates("ended_by"),
        within=fields.number("within", 0.0),
        stats=_stats(fields.inner("stats")),
        arguments=fields.comparisons("arguments"),
        states=fields.choices("states", EngineState),
        exits=tuple(_exit(each) for each in fields.items("exits")),
        orphans=fields.flag("orphans"),
        metrics=read_metrics(fields, figures),
        confidence=confidence,
        advice=fields.flag("advice") if "advice" in fields else None,
    )


def _stats(fields: Fields | None) -> StatsSight | None:
    if fields is None:
        return None
    fields.only("while", "lines", "seconds", "then_silence", "falls", "from", "by")
    conditions = fields.comparisons("while")
    falls = fields.string("falls")
    for name in [*(condition.name for condition in conditions), *([falls] if falls else [])]:
        if name not in NUMBERS and not name.startswith("max_"):
            fields.wrong("while", f"a stats line has no {name!r}", did_you_mean(name, NUMBERS))
    return StatsSight(
        conditions,
        int(fields.number("lines", 1)),
        fields.number("seconds", 0.0),
        fields.flag("then_silence"),
        falls,
        fields.number("from", 0.0),
        fields.number("by", 0.0),
    )


def _exit(fields: Fields) -> ExitSight:
    fields.only("role", "by_signal", "code")
    code = int(fields.number("code", 0)) if "code" in fields else None
    return ExitSight(
        fields.choice("role", Role, None), fields.flag("by_signal") if "by_signal" in fields else None, code
    )
