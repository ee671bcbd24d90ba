"""The flight recorder: what is one server's of a shared machine, and how much is kept."""

import os
from pathlib import Path

from paramedic.app.recorder_watch import forget_old, only_engine

ROW = {
    "t": 1.0,
    "engine": [
        {"pid": 1, "name": "vllm", "pct": 90, "state": "R"},
        {"pid": 2, "name": "VLLM::Worker", "pct": 50, "state": "R"},
        {"pid": 3, "name": "VLLM::Worker", "pct": 0, "state": "S"},
    ],
    "others": [{"pid": 9, "name": "gcc", "pct": 70}],
}


def test_another_server_is_a_neighbour() -> None:
    mine = only_engine(ROW, {1})
    assert [one["pid"] for one in mine["engine"]] == [1]
    assert mine["others"] == [{"pid": 9, "name": "gcc", "pct": 70}, {"pid": 2, "name": "VLLM::Worker", "pct": 50}]
    assert mine["t"] == 1.0


def test_old_bundles_go(tmp_path: Path) -> None:
    for number in range(5):
        file = tmp_path / f"INC-{number}.tar.gz"
        file.write_bytes(b"x" * 100)
        os.utime(file, (number, number))
    forget_old(tmp_path, bundles=3)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["INC-2.tar.gz", "INC-3.tar.gz", "INC-4.tar.gz"]
    forget_old(tmp_path, size=250)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["INC-3.tar.gz", "INC-4.tar.gz"]
    forget_old(tmp_path, size=10)
    assert [file.name for file in tmp_path.iterdir()] == ["INC-4.tar.gz"]
