"""The guide's checkpoints for the first token, for each further token and for the tail, in its order."""

from paramedic.diagnosis import checks_of_tail as tail
from paramedic.diagnosis import checks_of_tpot as tpot
from paramedic.diagnosis import checks_of_ttft as ttft
from paramedic.diagnosis.checkpoint import Checkpoint, Evidence

ALL = (
    ttft.chunked_prefill,
    ttft.step_size,
    ttft.cold_start,
    ttft.network,
    tpot.gpu_use,
    tpot.kernels,
    tpot.host_overhead,
    tpot.cuda_graphs,
    tail.concurrency,
    tail.scheduling,
    tail.contention,
    tail.balance,
)


def checkpoints(evidence: Evidence) -> tuple[Checkpoint, ...]:
    """Every checkpoint, answered as far as the evidence goes."""
    return tuple(check(evidence) for check in ALL)
