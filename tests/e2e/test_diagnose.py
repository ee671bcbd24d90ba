"""`paramedic diagnose` as a person or a script calls it."""

import gzip
import json
import os
import pty
import resource
import subprocess
import sys
from pathlib import Path

import pytest

LOGS = Path(__file__).parents[1] / "recordings" / "logs"
TOO_LONG = LOGS / "vllm-0.26-h100" / "f04-kv-too-small.log"
WELL = LOGS / "vllm-0.26-h100" / "p1-default.log"
FINDING = {"cause", "family", "category", "level", "confidence", "title", "summary", "evidence", "remedies"}


def diagnose(*arguments: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    environment = os.environ | {"LC_ALL": "C.UTF-8"}
    return subprocess.run(
        [sys.executable, "-m", "paramedic", "diagnose", *map(str, arguments)],
        input=stdin,
        capture_output=True,
        timeout=100,
        check=False,
        env=environment,
    )


def test_fault() -> None:
    done = diagnose(TOO_LONG)
    text = done.stdout.decode()
    assert done.returncode == 1
    assert "kv-cache-smaller-than-max-model-len" in text
    assert f"{TOO_LONG}:52" in text
    assert "--max-model-len 62656" in text
    assert "\x1b" not in text
    assert done.stderr == b""


def test_json_has_the_documented_shape() -> None:
    done = diagnose(TOO_LONG, "--json")
    document = json.loads(done.stdout)
    assert list(document) == ["verdict", "findings", "advice", "missing"]
    assert document["verdict"] == "fault"
    for finding in (*document["findings"], *document["advice"]):
        assert set(finding) == FINDING
        assert all(set(one) == {"file", "line", "text"} for one in finding["evidence"])
        assert all(set(remedy) == {"id", "text", "flags"} for remedy in finding["remedies"])
    assert document["findings"][0]["evidence"][0]["line"] == 52
    assert document["findings"][0]["level"] == "P1"
    assert document["advice"][0]["cause"] == "enforce-eager-slow-decode"


def test_chinese() -> None:
    text = diagnose(TOO_LONG, "--lang", "zh").stdout.decode()
    assert "KV cache 放不下一个最长请求" in text
    assert "怎么办" in text


def test_healthy_log() -> None:
    done = diagnose(WELL)
    assert done.returncode == 0
    assert "Nothing wrong" in done.stdout.decode()


def test_could_not_tell(tmp_path: Path) -> None:
    empty = tmp_path / "empty.log"
    empty.touch()
    done = diagnose(empty)
    assert done.returncode == 3
    assert "Could not tell" in done.stdout.decode()
    assert "empty.log is empty" in done.stdout.decode()


def test_standard_input_and_broken_bytes() -> None:
    done = diagnose("-", "--json", stdin=b"\xff\xfe\x00broken\n" + TOO_LONG.read_bytes().replace(b"\n", b"\r\n"))
    assert done.returncode in {1, 3}  # its first two bytes are a byte-order mark: then nothing in it can be read
    done = diagnose("-", "--json", stdin=b"\x80\x81broken\n" + TOO_LONG.read_bytes().replace(b"\n", b"\r\n"))
    assert json.loads(done.stdout)["findings"][0]["evidence"][0] | {"text": ""} == {
        "file": "stdin",
        "line": 53,
        "text": "",
    }


def test_packed_file(tmp_path: Path) -> None:
    packed = tmp_path / "server.log.gz"
    packed.write_bytes(gzip.compress(TOO_LONG.read_bytes()))
    assert diagnose(packed).returncode == 1


def test_several_files_are_one_incident(tmp_path: Path) -> None:
    document = json.loads(diagnose(WELL, TOO_LONG, "--json").stdout)
    assert document["findings"][0]["evidence"][0]["file"] == str(TOO_LONG)


def test_every_unreadable_file_is_named(tmp_path: Path) -> None:
    damaged = tmp_path / "cut.log.gz"
    damaged.write_bytes(gzip.compress(b"hello" * 100)[:20])
    done = diagnose(tmp_path, tmp_path / "absent.log", damaged)
    assert done.returncode == 2
    error = done.stderr.decode()
    assert "is a folder" in error
    assert "absent.log: cannot be read: No such file" in error
    assert "cut.log.gz" in error
    assert "Traceback" not in error


@pytest.mark.parametrize("arguments", [[], ["--no-such-option", str(WELL)]])
def test_usage(arguments: list[str]) -> None:
    assert diagnose(*arguments).returncode == 2


def test_help_has_examples() -> None:
    text = diagnose("--help").stdout.decode()
    assert "docker logs" in text
    assert "Exit codes: 0" in text


def test_colours_on_a_terminal() -> None:
    ours, theirs = pty.openpty()
    environment = os.environ | {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
    environment.pop("NO_COLOR", None)
    command = [sys.executable, "-m", "paramedic", "diagnose", str(TOO_LONG)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        shown = b""
        try:
            while chunk := os.read(ours, 65536):
                shown += chunk
        except OSError:  # Linux says so when the other end of a terminal is closed
            pass
        os.close(ours)
    assert process.returncode == 1
    assert b"\x1b[" in shown


def test_large_log_costs_little(tmp_path: Path) -> None:
    """10 MB of a busy server in the middle of a log: a fifth of what is allowed for 50 MB, in processor time."""
    request = '(APIServer pid=505) INFO:     127.0.0.1:36078 - "POST /v1/completions HTTP/1.1" 200 OK\n'
    prompt = "INFO 11-02 10:00:30 [logger.py:39] Received request c-1: prompt: 'why is a GPU device out of memory', x\n"
    lines = TOO_LONG.read_text("utf-8").splitlines(keepends=True)
    large = tmp_path / "large.log"
    large.write_text("".join([*lines[:10], *[request * 20 + prompt] * 5500, *lines[10:]]), "utf-8")
    assert large.stat().st_size > 10_000_000
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert diagnose(large).returncode == 1
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime - before.ru_utime < 6
