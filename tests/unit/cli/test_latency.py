"""`paramedic latency`: the picture, its JSON, and what it says where there is nothing to tell."""

import gzip
import shutil
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Say

pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # a log is read where it lies
RECORDINGS = Path(__file__).parents[2] / "recordings"
NARROW = str(RECORDINGS / "scrapes-h100-step-budget-256.txt.gz")
CROWD = str(RECORDINGS / "scrapes-h100-crowd.txt.gz")
PREEMPTIONS = str(RECORDINGS / "scrapes-h100-preemptions.txt.gz")
LOG = str(RECORDINGS / "logs" / "vllm-0.26-h100" / "g7-batched-256.log")

SCREEN = """\
  queue             540 ms   57%  ####################
  prefill           100 ms   11%  ####
  decode            303 ms   32%  ###########
  front end         7.8 ms    1%                                        end to end less queue, prefill and decode
  HTTP around it    2.3 ms     –                                        HTTP less end to end, beyond the share
  end to end        951 ms
              mean    P50              P95              P99
  TTFT        649 ms  500 ms - 750 ms  750 ms - 1.00 s  750 ms - 1.00 s
"""


def test_the_picture(paramedic: Say) -> None:
    said = paramedic("latency", NARROW, "--lang", "en")
    assert said.code == 0
    assert SCREEN in said.out
    assert "205 requests, 2,048 tokens in, 32 out on average" in said.out
    assert "(measured end to end: 951 ms)" in said.out


def test_with_its_log_more_can_be_told(paramedic: Say) -> None:
    def answers(*more: str) -> dict[str, str]:
        document = paramedic("latency", NARROW, "--json", *more).json
        return {check["id"]: check["answer"] for check in document["checkpoints"]}

    without, with_log = answers(), answers("--log", LOG)
    assert without["step-size"] == without["cuda-graphs"] == without["kernels"] == "could-not-tell"
    assert with_log["step-size"] == "yes"
    assert with_log["cuda-graphs"] == with_log["kernels"] == with_log["chunked-prefill"] == "no"


def test_json(paramedic: Say) -> None:
    document = paramedic("latency", CROWD, "--window", "30s", "--json").json
    assert next(iter(document)) == "source"
    assert 30.0 - document["to"] + document["from"] == pytest.approx(0.0, abs=6.0)
    parts = {part["id"]: part for part in document["parts"]}
    assert parts["queue"]["mean"] == pytest.approx(1.35, abs=0.2)
    assert set(parts["queue"]["spread"]["p95"]) == {"low", "high", "value"}
    assert [each["id"] for each in document["ranges"]] == ["ttft-p50", "tpot-p50", "e2e-p95"]
    assert {"id", "about", "answer", "question", "found", "do"} == set(document["checkpoints"][0])
    assert len(document["checkpoints"]) == 12


def test_in_chinese_above_the_guides_range(paramedic: Say) -> None:
    said = paramedic("latency", PREEMPTIONS, "--lang", "zh")
    assert said.code == 1
    assert "排队" in said.out
    assert "TTFT P50 低于 2 秒  否  5.00 s - 7.50 s" in said.out
    assert "抢占" in said.out


def test_a_recorded_folder(paramedic: Say, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    shutil.copy(NARROW, folder / "scrapes.txt.gz")
    shutil.copy(LOG, folder / "server.log")
    said = paramedic("latency", str(folder), "--json")
    assert said.code == 0
    assert {check["id"]: check["answer"] for check in said.json["checkpoints"]}["step-size"] == "yes"


ONE = b"# t=1000.0 status=200\nvllm:num_requests_running 1\n"


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["./absent.gz"], 2, "absent.gz: cannot be read: no such file"),
        (["one.txt"], 2, "one.txt: holds 1 scrapes (each is headed `# t=EPOCH status=200`"),
        (["cut.txt.gz"], 2, "cut.txt.gz: its packing is damaged or cut off"),
        (["folder"], 2, "folder: is no recording"),
        (["idle.txt"], 3, "no request of idle.txt got a token in the 10 s of the window"),
        ([NARROW, "--window", "soon"], 2, "--window"),
        ([NARROW, "--window", "0s"], 2, "--window must be from 1s to 15d"),
        ([NARROW, "--until", "yesterday"], 2, "--until: 'yesterday' is no time"),
        ([NARROW, "--until", "2020-01-01"], 2, "--until lies outside of what is known"),
        ([NARROW, "--log", "absent.log"], 2, "absent.log: cannot be read: No such file or directory"),
        (["no-such-server"], 2, "there is no server 'no-such-server'"),
    ],
)
def test_what_cannot_be_told(paramedic: Say, tmp_path: Path, arguments: list[str], code: int, sentence: str) -> None:
    (tmp_path / "one.txt").write_bytes(ONE)
    (tmp_path / "idle.txt").write_bytes(ONE + ONE.replace(b"1000", b"1010"))
    (tmp_path / "cut.txt.gz").write_bytes(gzip.compress(ONE * 100)[:30])
    (tmp_path / "folder").mkdir()
    said = paramedic("latency", *arguments, "--data-dir", str(tmp_path / "data"))
    assert sentence in said.err
    assert said.code == code
    assert said.out == ""
