"""The metrics endpoint takes long to answer, as on a machine without processor time to spare; the engine works."""

from paramedic.model.text import Text
from paramedic.practice.fault import Expected, Fault, Outcome, Patient


class MetricsSlow(Fault):
    def inflict(self, patient: Patient, seconds: float) -> None:
        patient.running.delay_metrics(seconds)

    def mend(self, patient: Patient) -> bool:
        broken = self.is_broken(patient)
        if broken and patient.engine is not None:
            patient.engine.delay_metrics(0.0)
        return broken

    def is_broken(self, patient: Patient) -> bool:
        return patient.engine is not None and patient.engine.metrics_delay > 0


FAULT = MetricsSlow(
    id="metrics-slow",
    title=Text("The metrics endpoint is slow", "指标接口缓慢"),
    summary=Text(
        "/metrics takes some seconds (--seconds) to answer; /health and the tokens are as ever.",
        "/metrics 需要若干秒（--seconds）才返回；/health 和 token 产出一切正常。",
    ),
    expected=Expected(alert=None, cause=None, outcome=Outcome.NOTHING),
    seconds=30.0,
)
