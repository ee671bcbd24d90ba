"""`paramedic memory`: the picture, its JSON, and what it says of input that it cannot use."""

import json
from pathlib import Path

import pytest

from paramedic.journal import events
from paramedic.journal.codec import Entry
from paramedic.model.target import Target
from tests.unit.cli.conftest import Say, write_journal

pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # a log is read where it lies
LOGS = Path(__file__).parents[2] / "recordings" / "logs"
P1 = str(LOGS / "vllm-0.26-h100" / "p1-default.log")
TOO_SMALL = str(LOGS / "vllm-0.26-h100" / "f04-kv-too-small.log")
OUT_OF_MEMORY = str(LOGS / "vllm-0.26-h100" / "f22-oom-runtime.log")

SCREEN = """\
vLLM 0.26.0  GPU memory 79.18 GiB
  before the start      0.52 GiB    1%                                        p1-default.log:43  the size of the \
device less what was free as the engine began
  weights              15.27 GiB   19%  #######                               p1-default.log:43
  KV cache             56.07 GiB   71%  #########################             p1-default.log:31
  activations (peak)    1.29 GiB    2%  #                                     p1-default.log:43
  outside PyTorch       0.22 GiB    0%                                        p1-default.log:43
  CUDA graphs           1.01 GiB    1%                                        p1-default.log:43
  free                  4.80 GiB    6%  ..                                    what is left
  total                79.18 GiB
  budget 72.84 GiB = 0.92 of 79.18 GiB; its parts add up to 72.85 GiB: agrees
  KV cache: 408,256 tokens, 144.0 KiB each, 9.97 requests of 40,960 tokens at once
  which flag moves what
    --gpu-memory-utilization 0.97      KV cache +3.96 GiB, +28,826 tokens
      more for the KV cache, less room for what grows at run time
"""


def test_the_picture(paramedic: Say) -> None:
    said = paramedic("memory", P1, "--lang", "en")
    assert said.code == 0
    assert said.out.startswith(SCREEN)


SCREEN_ZH = """\
vLLM 0.26.0  显存 79.18 GiB
  启动前已占用      0.52 GiB    1%                                        p1-default.log:43  \
显存总量减去引擎启动时的空闲量
  权重             15.27 GiB   19%  #######                               p1-default.log:43
  KV 缓存          56.07 GiB   71%  #########################             p1-default.log:31
  激活值（峰值）    1.29 GiB    2%  #                                     p1-default.log:43
  PyTorch 之外      0.22 GiB    0%                                        p1-default.log:43
  CUDA 图           1.01 GiB    1%                                        p1-default.log:43
  空闲              4.80 GiB    6%  ..                                    剩余
  合计             79.18 GiB
  预算 72.84 GiB = 79.18 GiB 的 0.92；各部分合计 72.85 GiB：吻合
"""


def test_the_picture_in_chinese(paramedic: Say) -> None:
    assert paramedic("memory", P1, "--lang", "zh").out.startswith(SCREEN_ZH)


def test_out_of_memory_in_chinese(paramedic: Say) -> None:
    said = paramedic("memory", OUT_OF_MEMORY, "--lang", "zh")
    assert said.code == 1
    assert "显存不足  还要 128 MiB，79.18 GiB 中只剩 117 MiB  f22-oom-runtime.log:175" in said.out
    assert "本进程占 22.92 GiB，其中 85 MiB 已预留未用，进程 2919 占 56.13 GiB" in said.out
    assert "* --gpu-memory-utilization 0.25" in said.out


def test_json(paramedic: Say) -> None:
    said = paramedic("memory", P1, "--json")
    parts = {part["id"]: part for part in said.json["parts"]}
    assert parts["weights"] | {"file": ""} == {
        "id": "weights",
        "gib": 15.27,
        "known": "said",
        "file": "",
        "line": 43,
        "note": "",
    }
    assert said.json["kv"]["tokens"] == 408_256
    assert said.json["agrees"] is True
    assert said.json["starts"] == 1
    lever = said.json["levers"][0]
    assert set(lever) == {"flag", "part", "effect", "kv_gib", "tokens", "device_gib", "helps", "long_term"}


def test_the_size_of_the_gpu_may_be_given(paramedic: Say) -> None:
    without = {part["id"]: part["gib"] for part in paramedic("memory", TOO_SMALL, "--json").json["parts"]}
    given = paramedic("memory", TOO_SMALL, "--gpu-memory", "79.18", "--json")
    parts = {part["id"]: part["gib"] for part in given.json["parts"]}
    assert without["activations"] is None
    assert parts["activations"] == pytest.approx(1.104)
    assert given.code == 1


def test_the_shape_of_the_model_may_be_given(paramedic: Say, tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"num_hidden_layers": 36, "num_attention_heads": 32, "num_key_value_heads": 8,
                                  "head_dim": 128, "vocab_size": 151936}))  # fmt: skip
    said = paramedic("memory", P1, "--model-config", str(config), "--json")
    assert said.json["kv"]["bytes_per_token"] == 147_456


def test_a_folder_with_one_log(paramedic: Say, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    assert "run: holds 0 logs (give the one that is meant)" in paramedic("memory", str(folder)).err
    (folder / "server.log").write_text(Path(P1).read_text("utf-8"), "utf-8")
    (folder / "other.log").write_text("x", "utf-8")
    assert paramedic("memory", str(folder)).code == 0


def test_a_recording_tells_what_the_driver_saw(paramedic: Say, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "server.log").write_text(Path(P1).read_text("utf-8"), "utf-8")
    assert paramedic("memory", str(folder), "--json").json["held"] is None
    gib = 2**30
    looks = [{"t": 1000 + n, "gpu": 0, "procs": [[7, (60 + n) * gib], [9, 2 * gib]]} for n in range(3)]
    (folder / "nvml.jsonl").write_text("".join(json.dumps(look) + "\n" for look in looks), "utf-8")
    (folder / "host.jsonl").write_text(json.dumps({"t": 1000, "engine": [{"pid": 7, "name": "x"}]}) + "\n", "utf-8")
    held = paramedic("memory", str(folder), "--json").json["held"]
    assert held == {"server": pytest.approx(62.0), "others": pytest.approx(2.0)}
    said = paramedic("memory", str(folder), "--lang", "en")
    assert "the driver saw: this server at most 62.00 GiB, other processes 2.00 GiB; -11.86 GiB against" in said.out


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["no-such-server"], 2, "there is no server 'no-such-server'"),
        (["absent.log"], 2, "absent.log: cannot be read: No such file or directory"),
        (["no/such.log"], 2, "no/such.log: cannot be read: No such file or directory"),
        ([P1, "--gpu-memory", "0"], 2, "--gpu-memory is a size in GiB above zero"),
        ([P1, "--model-config", "absent.json"], 2, "absent.json: cannot be read: No such file or directory"),
        ([P1, "--model-config", "text.json"], 2, "text.json: is not JSON (give the model's config.json)"),
        ([P1, "--model-config", "list.json"], 2, "does not tell the KV cache's bytes a token"),
        (["text.json"], 3, "text.json says nothing of a server's memory"),
    ],
)
def test_what_cannot_be_used(paramedic: Say, tmp_path: Path, arguments: list[str], code: int, sentence: str) -> None:
    (tmp_path / "text.json").write_text("hello", "utf-8")
    (tmp_path / "list.json").write_text("[1]", "utf-8")
    said = paramedic("memory", *arguments, "--data-dir", str(tmp_path / "data"))
    assert sentence in said.err
    assert said.code == code
    assert said.out == ""


def test_a_server_under_watch_is_known_by_its_name(paramedic: Say, tmp_path: Path) -> None:
    target = Target(name="qwen3@127.0.0.1:8000", url="http://127.0.0.1:8000", log=P1)
    folder = write_journal(tmp_path / "data", [Entry(1, 1, None, events.TargetAdded(target))])
    assert paramedic("memory", target.name, "--data-dir", str(folder)).code == 0
    assert paramedic("memory", target.url, "--data-dir", str(folder)).code == 0
    assert "qwen3@127.0.0.1:8000" in paramedic("memory", "qwem3@127.0.0.1:8000", "--data-dir", str(folder)).err
