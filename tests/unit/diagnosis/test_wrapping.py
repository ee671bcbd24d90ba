"""The engine's line is the same, whoever started the engine and whoever collected its log."""

import json

import pytest

from paramedic.diagnosis.reading import frames_above
from paramedic.diagnosis.record import read_record
from paramedic.diagnosis.scene import Log
from paramedic.diagnosis.wrapping import unwrap

LINE = "(EngineCore_DP0 pid=70) ERROR 10-12 08:22:41 [core.py:710] RuntimeError: no"
ISO = "2026-11-23T08:10:59.123456789Z"


@pytest.mark.parametrize(
    ("wrapped", "source", "rank"),
    [
        (f"[pod/vllm-0/vllm] {ISO} {LINE}", "pod/vllm-0/vllm", ""),
        (f"vllm-1  | {LINE}", "vllm-1", ""),
        (f"vllm  | {LINE}", "vllm", ""),
        (f"{ISO} {LINE}", "", ""),
        (f"{ISO} stderr F {LINE}", "", ""),
        (f"2026-11-23T08:10:59+0800 gpu-7 python3[4121]: {LINE}", "", ""),
        (f"Nov 23 08:10:59 gpu-7 vllm[4121]: {LINE}", "", ""),
        (f"[Mon Nov 23 08:10:59 2026] {LINE}", "", ""),
        (f"[  123.456789] {LINE}", "", ""),
        (f"0: {LINE}", "", "0"),
        (f" 3: {LINE}", "", "3"),
        (f"[1,2]<stderr>:{LINE}", "", "2"),
        (f"[default1]:{LINE}", "", "1"),
        (f"[rank4]: {LINE}", "", "4"),
        (f"vllm-7d9c4b-x2x1z vllm {LINE}", "vllm-7d9c4b-x2x1z vllm", ""),
        (f'{ISO} {{app="vllm", pod="a"}} {LINE}', 'app="vllm", pod="a"', ""),
        (f"{ISO}\tkube.vllm\t" + json.dumps({"log": LINE + "\n"}), "", ""),
        (json.dumps({"log": LINE + "\n", "stream": "stderr", "time": ISO}), "", ""),
        (json.dumps({"MESSAGE": LINE, "_HOSTNAME": "gpu-7", "PRIORITY": "3"}), "", ""),
        (json.dumps({"MESSAGE": list(f"\x1b[31m{LINE}\x1b[0m".encode()), "_PID": "7"}), "", ""),
        (json.dumps({"log": LINE, "kubernetes": {"pod_name": "vllm-0"}}), "vllm-0", ""),
        (f"{LINE} [repeated 3x across cluster] (Ray deduplicates logs by default.)", "", ""),
        (f"\x1b[36m(RayWorkerWrapper pid=4, ip=10.0.0.5)\x1b[0m {LINE}", "", ""),
        (LINE + "\r", "", ""),
    ],
)
def test_unwrapped(wrapped: str, source: str, rank: str) -> None:
    record = read_record(wrapped)
    assert (record.text, record.level, record.tag) == ("RuntimeError: no", "ERROR", "EngineCore_DP0")
    assert (record.source, record.rank, record.seconds) == (source, rank, read_record(LINE).seconds)


@pytest.mark.parametrize(
    ("line", "level", "text"),
    [
        ('{"message": "Port 8000 is in use", "level": "warn", "ts": 1}', "WARNING", "Port 8000 is in use"),
        ('{"event": "it died", "severity": "ERROR", "timestamp": "x"}', "ERROR", "it died"),
        ('{"timestamp": "x", "level": "ERROR", "fields": {"message": "Shard 0 failed"}}', "ERROR", "Shard 0 failed"),
        ('{"msg": "no", "exc_info": "Traceback (most recent call last):\\nValueError: no"}', "",
         "no\nTraceback (most recent call last):\nValueError: no"),
        ('{"level": "info"}', "", '{"level": "info"}'),
        ('{"log": broken', "", '{"log": broken'),
        ('["log"]', "", '["log"]'),
        ("[2025-01-01 12:00:00 TP0] Scheduler hit an exception", "", "Scheduler hit an exception"),
        ("[2025-01-01 12:00:00] max_total_num_tokens=1", "", "max_total_num_tokens=1"),
        ("2025-01-01 12:00:00,123 - vllm.engine - ERROR - it died", "ERROR", "it died"),
        ("2025-01-01 12:00:00,123\tINFO worker.py:1 -- Connected to Ray", "INFO", "Connected to Ray"),
        ("│ /opt/vllm/worker.py:12 in load_model        │", "", "/opt/vllm/worker.py:12 in load_model"),
        (f"{ISO} CUDA error: out of memory", "", "CUDA error: out of memory"),
        (f"{ISO} Permission denied: '/models'", "", "Permission denied: '/models'"),
        (f"{ISO}     HW Slowdown : Active", "", "    HW Slowdown : Active"),
        ("| 0  NVIDIA H100  On | 00000000:3B:00.0 Off |", "", "| 0  NVIDIA H100  On | 00000000:3B:00.0 Off |"),
        ("journalctl -u vllm | grep Error", "", "journalctl -u vllm | grep Error"),
    ],
)  # fmt: skip
def test_other_shapes(line: str, level: str, text: str) -> None:
    record = read_record(line)
    assert (record.level, record.text) == (level, text)


def test_json_that_never_ends_is_only_text() -> None:
    for line in ("{" * 5000, '{"log":' * 5000, '{"log": "' + '{\\"log\\": ' * 500):
        assert unwrap(line).text


def test_rank_of_sglang() -> None:
    assert read_record("[2025-01-01 12:00:00 DP0 TP3] x").rank == "DP0 TP3"


def test_interleaved_ranks_do_not_borrow_frames() -> None:
    mine = ["Traceback (most recent call last):", '  File "a.py", line 1, in load_model', "RuntimeError: no"]
    other = ["Traceback (most recent call last):", '  File "b.py", line 1, in capture_model', "RuntimeError: no"]
    lines = [
        line
        for pair in zip((f"[rank0]: {x}" for x in mine), (f"[rank1]: {x}" for x in other), strict=True)
        for line in pair
    ]
    log = Log("a", lines)
    assert frames_above(log, 4) == {"load_model"}
    assert frames_above(log, 5) == {"capture_model"}


def test_frames_of_a_boxed_traceback() -> None:
    lines = [
        "╭──────────── Traceback (most recent call last) ────────────╮",
        "│ /opt/vllm/worker.py:12 in load_model                       │",
        "│                                                            │",
        "│ ❱ 12     raise ValueError                                  │",
        "╰────────────────────────────────────────────────────────────╯",
        "ValueError: no",
    ]
    assert frames_above(Log("a", lines), 5) == {"load_model"}


def test_frames_of_a_traceback_in_json() -> None:
    trace = 'Traceback (most recent call last):\n  File "a.py", line 1, in capture_model\nRuntimeError: no'
    assert frames_above(Log("a", [json.dumps({"message": "died", "exc_info": trace})]), 0) == {"capture_model"}
