"""`paramedic record`: what it refuses, before anything is written."""

from pathlib import Path

import pytest

from tests.unit.cli.conftest import Say

URL = "http://127.0.0.1:9"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([URL, "-o", "there.tar.gz"], "exists: name another file, or say --force"),
        ([URL, "-o", "no/x.tar.gz"], "there is no folder no"),
        ([URL, "-o", "."], "is a folder: name a file in it"),
        (["qwen", "-o", "x.tar.gz"], "there is no server 'qwen': nothing has been watched here yet"),
        (["http://u:planted@h:x", "-o", "x.tar.gz"], "TARGET is not a URL"),
        ([URL, "-o", "x.tar.gz", "--for", "0s"], "--for must be more than 0 s"),
        ([URL, "-o", "x.tar.gz", "--for", "25h"], "at most 24h"),
        ([URL, "-o", "x.tar.gz", "--for", "soon"], "--for is not a duration"),
        ([URL, "-o", "x.tar.gz", "--interval", "0"], "--interval must be"),
        ([URL], "Missing option '-o'"),
    ],
)
def test_refusals(paramedic: Say, tmp_path: Path, arguments: list[str], sentence: str) -> None:
    (tmp_path / "there.tar.gz").write_bytes(b"x")
    said = paramedic("record", *arguments, "--data-dir", str(tmp_path / "nothing"))
    assert (said.code, said.out) == (2, "")
    assert sentence in said.err
    assert "planted" not in said.err
    assert [path.name for path in tmp_path.iterdir()] == ["there.tar.gz"]
    assert (tmp_path / "there.tar.gz").read_bytes() == b"x"


def test_a_server_that_is_not_there_is_recorded_as_such(paramedic: Say, tmp_path: Path) -> None:
    said = paramedic("record", URL, "-o", "x.tar.gz", "--for", "0.1s", "--json", "--data-dir", str(tmp_path / "no"))
    assert said.code == 0
    reasons = {one["what"]: one["why"] for one in said.json["could_not"]}
    assert reasons["metrics"] == "/metrics was never answered, of 2 times"
    assert "not on this machine" in reasons["arguments"]
    assert "give --log" in reasons["log"]
