"""Recorded looks at the machine: GPU, host, health checks and clients, as the samples that a live watch would keep."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from paramedic.adapters.recordings.observer import Seen
from paramedic.model.sample import LabelSet, Scrape, label_set
from paramedic.model.target import EngineProcess, Role

Record = Mapping[str, Any]
Row = tuple[LabelSet, float]
THROTTLE = {  # the bits of NVML's clocks event reasons
    "app_clocks": 0x2,
    "sw_power_cap": 0x4,
    "hw_slowdown": 0x8,
    "sync_boost": 0x10,
    "sw_thermal": 0x20,
    "hw_thermal": 0x40,
    "hw_power_brake": 0x80,
}
GPU = {  # the recorder's key: our name, and what one of its units is in ours
    "util": ("paramedic_gpu_utilization", 0.01),
    "used": ("paramedic_gpu_memory_used_bytes", 1.0),
    "total": ("paramedic_gpu_memory_total_bytes", 1.0),
    "temp": ("paramedic_gpu_temperature_celsius", 1.0),
    "power_mw": ("paramedic_gpu_power_watts", 0.001),
    "sm_mhz": ("paramedic_gpu_clock_mhz", 1.0),
    "ecc_unc": ("paramedic_gpu_ecc_uncorrected_total", 1.0),
}
PROCESS = {
    "pct": ("paramedic_process_cpu", 0.01),
    "aff": ("paramedic_process_allowed_cpus", 1.0),
    "pushed": ("paramedic_process_preempted_total", 1.0),
    "rss_mb": ("paramedic_process_resident_bytes", 1048576.0),
}
HOST = {
    "load1": ("paramedic_host_load1", 1.0),
    "mem_avail_mb": ("paramedic_host_memory_available_bytes", 1048576.0),
    "psi_cpu": ("paramedic_host_cpu_pressure", 0.01),
    "psi_mem": ("paramedic_host_memory_pressure", 0.01),
    "swap_used_mb": ("paramedic_host_swap_used_bytes", 1048576.0),
}
COUNTED = ("started", "done", "failed", "left")  # what clients count, each second anew
CLIENT = {
    "ttft_p50_ms": ("paramedic_client_ttft_seconds", 0.001),
    "itl_p50_ms": ("paramedic_client_itl_seconds", 0.001),
    "tok_s": ("paramedic_client_tokens_per_second", 1.0),
}


def gpu_scrapes(records: Iterable[Record], labels: Mapping[str, str], host: Sequence[Record]) -> Iterator[Scrape]:
    """GPUs, and the memory of each process on them: of the engine, another's, or unknown where nobody looked."""
    engine = {process["pid"] for record in host for process in record.get("engine", ()) if "pid" in process}
    for record in records:
        gpu = {**labels, "gpu": str(record.get("gpu", 0))}
        rows = list(_named(record, GPU, gpu))
        if isinstance(reasons := record.get("throttle"), int):
            rows += [
                (label_set("paramedic_gpu_throttle", gpu, reason=reason), float(bool(reasons & bit)))
                for reason, bit in THROTTLE.items()
            ]
        for pid, used in record.get("procs", ()):
            part = ("engine" if pid in engine else "other") if engine else "unknown"
            rows.append((label_set("paramedic_gpu_process_memory_bytes", gpu, pid=str(pid), part=part), float(used)))
        yield _scrape(f"gpu:{gpu['target']}:{gpu['gpu']}", record, rows)


def host_scrapes(records: Iterable[Record], labels: Mapping[str, str]) -> Iterator[Scrape]:
    """The host's cores, memory and pressure, the engine's processes, and the busiest others."""
    for record in records:
        rows = list(_named(record, HOST, labels))
        for core, percent in enumerate(record.get("cores", ())):
            rows.append((label_set("paramedic_host_core_busy", labels, core=str(core)), percent / 100))
        for part in ("engine", "others"):
            for position, process in enumerate(record.get(part, ())):
                role = _role(process, position) if part == "engine" else "other"
                which = {
                    **labels,
                    "pid": str(process.get("pid", "")),
                    "name": str(process.get("name", "")),
                    "role": role,
                }
                rows += _named(process, PROCESS, which)
        yield _scrape(f"host:{labels['target']}", record, rows)


def health_scrapes(records: Iterable[Record], labels: Mapping[str, str]) -> Iterator[Scrape]:
    """What /health answered."""
    for record in records:
        rows = [(label_set("paramedic_health_ok", labels), float(record.get("status") == 200))]
        rows += _named(record, {"took": ("paramedic_health_seconds", 1.0)}, labels)
        yield _scrape(f"health:{labels['target']}", record, rows)


def client_scrapes(records: Iterable[Record], labels: Mapping[str, str]) -> Iterator[Scrape]:
    """What the clients saw, by part of the load; what they count each second is summed up."""
    sums: dict[tuple[str, str], float] = {}
    for record in records:
        part = str(record.get("part", ""))
        which = {**labels, "part": part}
        rows = list(_named(record, CLIENT, which))
        for name in COUNTED:
            sums[part, name] = sums.get((part, name), 0.0) + float(record.get(name, 0))
            rows.append((label_set(f"paramedic_client_{name}_total", which), sums[part, name]))
        yield _scrape(f"client:{labels['target']}:{part}", record, rows)


def left_over(host: Sequence[Record]) -> Seen:
    """The engine's processes that lived on to the end after their API server had gone."""
    server = next((process.get("pid") for record in host for process in record.get("engine", ())[:1]), None)
    last = [list(record.get("engine", ())) for record in host[-3:]]
    if (
        server is None
        or not last
        or any(_lives(process) and process.get("pid") == server for each in last for process in each)
    ):
        return Seen()
    orphans = tuple(
        EngineProcess(process["pid"], 0.0, Role(_role(process, 1)))
        for process in last[-1]
        if _lives(process) and _role(process, 1) in (Role.ENGINE_CORE, Role.WORKER)
    )
    return Seen(orphans=orphans, ended=True)


def _lives(process: Record) -> bool:
    return process.get("state") not in ("Z", "X")


def _role(process: Record, position: int) -> str:
    """The kernel cuts a process's name after 15 characters."""
    name = str(process.get("name", ""))
    if name.startswith("VLLM::Engine"):
        return Role.ENGINE_CORE
    if name.startswith("VLLM::Worker"):
        return Role.WORKER
    return Role.API_SERVER if position == 0 else Role.OTHER


def _named(record: Record, names: Mapping[str, tuple[str, float]], labels: Mapping[str, str]) -> Iterator[Row]:
    """The numbers that are there; one that is not there is none, never zero."""
    for key, (name, unit) in names.items():
        value = record.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield label_set(name, labels), value * unit


def _scrape(source: str, record: Record, rows: Sequence[Row]) -> Scrape:
    return Scrape(source, round(record["t"] * 1e9), [labels for labels, _ in rows], [value for _, value in rows])
