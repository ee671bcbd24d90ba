"""The functions and operators of PromQL, a module a family, each equal to Prometheus's own."""

from paramedic.signals.functions.over_time import OVER_TIME
from paramedic.signals.functions.rates import RATES
from paramedic.signals.functions.vector import ELEMENTWISE

CLAMPS = frozenset({"clamp", "clamp_max", "clamp_min", "round"})
WINDOWED = frozenset({*RATES, *OVER_TIME, "predict_linear", "quantile_over_time"})
FUNCTIONS = frozenset(
    {
        *WINDOWED,
        *ELEMENTWISE,
        *CLAMPS,
        "absent",
        "absent_over_time",
        "histogram_quantile",
        "label_join",
        "label_replace",
        "scalar",
        "sort",
        "sort_desc",
        "time",
        "timestamp",
        "vector",
    }
)
