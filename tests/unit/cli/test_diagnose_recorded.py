"""`paramedic diagnose` on what was recorded: a folder, a bundle, an incident; and what it refuses."""

import gzip
import json
import shutil
from pathlib import Path

import pytest

from paramedic.adapters.storage.samples_sqlite import SqliteSamples
from paramedic.app.bundle import Manifest, pack
from paramedic.cli.diagnose_recorded import logs_of
from paramedic.model.sample import Scrape
from paramedic.model.text import Text
from paramedic.signals.exposition import Parser
from tests.fakes.night import waits_for_a_person
from tests.unit.cli.conftest import Say, write_journal

RECORDINGS = Path(__file__).parents[2] / "recordings"
BEGAN, ENDED = 1795421914.615, 1795421970.0  # of the recording
NO_GPU = (("gpu", Text("no driver", "没有驱动")),)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run whose KV cache was too small."""
    made = tmp_path / "run"
    made.mkdir()
    shutil.copy(RECORDINGS / "scrapes-h100-preemptions.txt.gz", made / "scrapes.txt.gz")
    shutil.copy(RECORDINGS / "logs" / "vllm-0.26-h100" / "f23-preempt.log", made / "server.log")
    (made / "facts.json").write_text('{"model": "m", "args": [], "env": {}}')
    return made


@pytest.fixture
def bundle(folder: Path, tmp_path: Path) -> Path:
    pack(folder, tmp_path / "run.tar.gz", Manifest("0", 1, BEGAN, ENDED, "m@h:1", {}, NO_GPU), force=False)
    return tmp_path / "run.tar.gz"


@pytest.mark.parametrize("form", ["folder", "bundle"])
def test_cause_with_its_window(paramedic: Say, form: str, request: pytest.FixtureRequest) -> None:
    path = request.getfixturevalue(form)
    said = paramedic("diagnose", str(path), "--json")
    assert said.code == 1
    first = said.json["findings"][0]
    assert first["cause"] == "kv-cache-preemption"
    assert BEGAN - 5 < first["from"] < first["to"] < ENDED
    logged = [one["file"] for one in first["evidence"] if one["line"]]
    assert set(logged) <= {f"{path}/server.log"}
    text = paramedic("diagnose", str(path)).out
    assert "seen from 20" in text
    assert "出现于 20" in paramedic("diagnose", str(path), "--lang", "zh").out


def test_what_was_not_seen_is_said_where_nothing_is_wrong(paramedic: Say, folder: Path, bundle: Path) -> None:
    shutil.copy(RECORDINGS / "logs" / "vllm-0.26-h100" / "p1-default.log", folder / "server.log")
    shutil.copy(RECORDINGS / "scrapes-h100-healthy.txt.gz", folder / "scrapes.txt.gz")
    pack(folder, bundle, Manifest("0", 1, BEGAN, ENDED, "m@h:1", {}, NO_GPU), force=True)
    said = paramedic("diagnose", str(bundle))
    assert (said.code, said.out) == (0, "  Nothing wrong is to be seen.\n  missing: the GPU: no driver\n")
    assert "缺少：GPU 状态：没有驱动" in paramedic("diagnose", str(bundle), "--lang", "zh").out
    blind = (("log", Text("it is gone", "已不存在")),)
    (folder / "server.log").unlink()
    pack(folder, bundle, Manifest("0", 1, BEGAN, ENDED, "m@h:1", {}, blind), force=True)
    assert paramedic("diagnose", str(bundle)).code == 3


def test_watchers_word_is_heard(paramedic: Say, folder: Path) -> None:
    (folder / "scrapes.txt.gz").write_bytes(gzip.compress(b""))
    shutil.copy(RECORDINGS / "logs" / "vllm-0.26-h100" / "p1-default.log", folder / "server.log")
    watched = {"state": "silent", "exits": [], "by_person": False}
    (folder / "watched.json").write_text(json.dumps(watched))
    assert [one["cause"] for one in paramedic("diagnose", str(folder), "--json").json["findings"]] == ["engine-hung"]


def test_folder_of_logs(paramedic: Say, tmp_path: Path) -> None:
    """All logs in it, an older part of a rotated one first."""
    logs = tmp_path / "logs"
    logs.mkdir()
    wrong = RECORDINGS / "logs" / "vllm-0.26-h100" / "f04-kv-too-small.log"
    (logs / "server.log.2.gz").write_bytes(gzip.compress(wrong.read_bytes()))
    shutil.copy(RECORDINGS / "logs" / "vllm-0.26-h100" / "p1-default.log", logs / "other.log")
    for name in ("notes.md", "notes.txt"):
        (logs / name).write_text("CUDA out of memory\n")
    first = paramedic("diagnose", str(logs), "--json").json["findings"][0]
    assert first["cause"] == "kv-cache-smaller-than-max-model-len"
    assert first["evidence"][0]["file"] == str(logs / "server.log.2.gz")
    names = ["b.log", "a.log", "a.log.1", "a.log.10.gz", "a.log-20261101"]
    for name in names:
        (tmp_path / name).touch()
    assert [path.name for path in logs_of(tmp_path)] == ["a.log-20261101", "a.log.10.gz", "a.log.1", "a.log", "b.log"]
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "holds no log and no recording" in paramedic("diagnose", str(empty)).err


def test_folder_of_logs_is_no_recording(paramedic: Say, tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    shutil.copy(RECORDINGS / "logs" / "vllm-0.26-h100" / "p1-default.log", logs / "a.log")
    shutil.copy(RECORDINGS / "logs" / "vllm-0.26-h100" / "p1-default.log", logs / "b.log")
    said = paramedic("diagnose", str(logs), "--baseline", str(logs))
    assert said.code == 2
    assert "--baseline is compared with numbers" in said.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "say what to look at: give a FILE, --target or --incident"),
        (["run", "--target", "http://h:1"], "give only one of FILE..., --target and --incident"),
        (["--target", ""], "--target is empty"),
        (["run", "server.log"], "run is a recording: it is diagnosed alone"),
        (["run", "--for", "5s"], "--for belongs to a --target"),
        (["run", "--log", "server.log"], "--log belongs to a --target"),
        (["run", "--baseline", "absent.tar.gz"], "there is no file absent.tar.gz"),
        (["run", "--baseline", "server.log"], "server.log is no recording"),
        (["--target", "http://h:1", "--for", "0.1s"], "--for must be from 1s to 1h"),
        (["foreign.tar.gz"], "foreign.tar.gz is no recording of Paramedic: it does not begin with a manifest.json"),
        (["cut.tar.gz"], "cut.tar.gz is cut off or damaged"),
        (["broken"], "broken/health.jsonl:1: is not JSON"),
    ],
)
def test_refusals(paramedic: Say, tmp_path: Path, bundle: Path, arguments: list[str], sentence: str) -> None:
    (tmp_path / "server.log").write_text("x\n")
    shutil.make_archive(str(tmp_path / "foreign"), "gztar", tmp_path / "run")
    raw = bundle.read_bytes()
    (tmp_path / "cut.tar.gz").write_bytes(raw[: len(raw) // 2])
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "health.jsonl").write_text("nothing\n{}\n")
    said = paramedic("diagnose", *arguments)
    assert (said.code, said.out) == (2, "")
    assert sentence in said.err


def test_damage_inside_a_bundle_bears_its_name(paramedic: Say, folder: Path, bundle: Path) -> None:
    (folder / "health.jsonl").write_text("nothing\n{}\n")
    pack(folder, bundle, Manifest("0", 1, BEGAN, ENDED, "m@h:1"), force=True)
    assert f"{bundle}/health.jsonl:1: is not JSON" in paramedic("diagnose", str(bundle)).err


def test_incident_without_a_bundle_is_read_from_what_is_kept(paramedic: Say, tmp_path: Path) -> None:
    """Its samples of then, put before its opening; its log is gone since."""
    entries = waits_for_a_person()
    data = write_journal(tmp_path / "data", entries)
    incident = next(entry for entry in entries if type(entry.event).__name__ == "IncidentOpened")
    name, target = incident.event.incident, incident.event.target  # type: ignore[attr-defined]
    store = SqliteSamples(data / "samples")
    for at, page in pages():
        moment = incident.at + int((at - ENDED) * 1e9)
        read = Parser({"target": target, "instance": "h:1", "job": "vllm"}).parse(page)
        store.append(Scrape(f"engine:{target}", moment, read.series, read.values))
    store.close()
    said = paramedic("diagnose", "--incident", name.lower(), "--data-dir", str(data), "--json")
    causes = {one["cause"]: one for one in said.json["findings"]}
    assert said.code == 1
    assert causes["kv-cache-preemption"]["to"] < incident.at / 1e9
    unknown = paramedic("diagnose", "--incident", name + "9", "--data-dir", str(data))
    assert unknown.code == 2
    assert f"did you mean {name}?" in unknown.err


def pages() -> list[tuple[float, bytes]]:
    """(epoch seconds, page) of each scrape of the recording that was answered."""
    blocks = gzip.decompress((RECORDINGS / "scrapes-h100-preemptions.txt.gz").read_bytes()).split(b"# t=")[1:]
    read = [(float(block.split(b" ", 1)[0]), block.partition(b"\n")[2]) for block in blocks]
    return [(at, page) for at, page in read if page.strip()]
