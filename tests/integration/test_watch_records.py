"""The flight recorder of a watch: each incident leaves a bundle, which tells the cause again, here or elsewhere."""

import gzip
import json
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.integration.practice_engine import wait_until
from tests.integration.watching import PARAMEDIC, Start, ask

PLANTED = "planted-key-of-the-server"


def test_incident_leaves_a_bundle(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLLM_API_KEY", PLANTED)
    watch = start()
    watch.serving()
    ask(watch.data, "practice", "break", "engine-core-died")
    incident = watch.wait("IncidentOpened")["incident"]
    watch.serving(run=2)
    bundle = watch.data / "incidents" / f"{incident}.tar.gz"
    wait_until(bundle.exists, "its bundle", 60)
    assert bundle.stat().st_mode & 0o777 == 0o600
    with tarfile.open(bundle) as tar:
        parts = {entry.name: tar.extractfile(entry).read() for entry in tar}  # type: ignore[union-attr]
    parts = {name: gzip.decompress(raw) if name.endswith(".gz") else raw for name, raw in parts.items()}
    assert {"scrapes.txt.gz", "server.log", "host.jsonl.gz", "events.jsonl", "watched.json"} <= set(parts)
    assert PLANTED.encode() not in b"\n".join(parts.values())
    assert json.loads(parts["manifest.json"])["log"]["path"].endswith("run-0001.log")
    assert json.loads(parts["watched.json"])["state"] == "dead"
    assert "--port" in json.loads(parts["facts.json"])["args"]
    told = subprocess.run(
        [*PARAMEDIC, "explain", incident, "--data-dir", str(watch.data)], capture_output=True, text=True, check=True
    )
    assert str(bundle) in told.stdout
    watch.end()
    assert watch.seen("WorkFailed") == []
    elsewhere = tmp_path / "a-laptop.tar.gz"
    shutil.copy(bundle, elsewhere)
    for arguments in (("--incident", incident), (str(elsewhere),)):
        again = ask(watch.data, "diagnose", *arguments, ok=(1,))
        assert again["findings"][0]["cause"] == "engine-core-died", arguments
