"""`paramedic record` on a real process: one file with everything in it, and nothing that is secret."""

import gzip
import json
import os
import signal
import stat
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.practice_engine import PracticeEngine, free_port, wait_until

PLANTED = {
    "VLLM_API_KEY": "planted-key-of-the-server",
    "HF_TOKEN": "hf_plantedtokenofthehub",
    "DATABASE_URL": "postgres://u:planted-database@h/x",
    "AWS_SECRET_ACCESS_KEY": "planted/aws/secret+key",
    "https_proxy": "http://someone:planted-proxy@127.0.0.1:9",
}
SAID = [
    "INFO 11-24 10:00:00 [logger.py:4] Received request cmpl-1: prompt: 'a planted-prompt of a \\'client\\'', n=1",
    "INFO 11-24 10:00:00 [logger.py:60] Generated response cmpl-1: output: 'planted-answer', output_token_ids: [1, 2]",
    'INFO:     127.0.0.1:5 - "GET /v1/models?api_key=planted-query HTTP/1.1" 200 OK',
    'DEBUG headers: {\'authorization\': \'Bearer planted-bearer\'} body: {"messages": [{"text": "planted-message"}]}',
    "somebody prints it in a way of his own: <<planted-key-of-the-server>>",
]
ENVIRONMENT = os.environ | {"LC_ALL": "C.UTF-8"}


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PracticeEngine]:
    for name, value in PLANTED.items():
        monkeypatch.setenv(name, value)
    engine = PracticeEngine(tmp_path / "engine", free_port())
    try:
        engine.ready()
        with engine.log_file.open("a") as log:
            log.write("\n".join(SAID) + "\n")
        yield engine
    finally:
        engine.end()


def record(engine: PracticeEngine, file: Path, *options: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "paramedic", "record", engine.url, "-o", str(file), *options]
    command += ["--data-dir", str(file.parent / "nothing")]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT)


def unpack(file: Path) -> dict[str, bytes]:
    with tarfile.open(file) as tar:
        parts = {entry.name: tar.extractfile(entry).read() for entry in tar}  # type: ignore[union-attr]
    return {name: gzip.decompress(raw) if name.endswith(".gz") else raw for name, raw in parts.items()}


def test_holds_everything_and_no_secret(engine: PracticeEngine, tmp_path: Path) -> None:
    file = tmp_path / "a.tar.gz"
    out, err = record(engine, file, "--for", "2s", "--interval", "0.5s", "--json").communicate(timeout=100)
    assert err == b""
    said = json.loads(out)
    assert said["file"] == str(file)
    assert said["bytes"] == file.stat().st_size
    assert said["to"] - said["from"] >= 2
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    parts = unpack(file)
    wanted = {"manifest.json", "facts.json", "server.log", "scrapes.txt.gz", "metrics.txt", "health.jsonl"}
    assert wanted | {"host.jsonl.gz", "processes.txt"} <= set(parts)
    everything = b"\n".join(parts.values())
    assert b"planted" not in everything
    facts = json.loads(parts["facts.json"])
    assert facts["args"][facts["args"].index("--port") + 1] == str(engine.port)
    assert facts["env"]["HF_TOKEN"] == facts["env"]["VLLM_API_KEY"] == "***"
    assert "DATABASE_URL" not in facts["env"]
    assert parts["scrapes.txt.gz"].count(b"# t=") >= 3
    assert b"vllm:num_requests_running" in parts["scrapes.txt.gz"]
    assert b"Application startup complete" in parts["server.log"]
    assert b"Received request cmpl-1: prompt: ***" in parts["server.log"]
    assert [name for name in ("EngineCore", "Worker") if name.encode() not in parts["processes.txt"]] == []
    assert json.loads(parts["host.jsonl.gz"].splitlines()[-1])["engine"]
    leftovers = [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]
    assert leftovers == []


def test_enough_is_enough(engine: PracticeEngine, tmp_path: Path) -> None:
    """Ctrl-C saves what there is."""
    file = tmp_path / "a.tar.gz"
    process = record(engine, file, "--for", "1h")
    wait_until(lambda: any(tmp_path.glob(".paramedic-record-*/health.jsonl")), "it records")
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert str(file) in out.decode()
    assert unpack(file)["server.log"]
