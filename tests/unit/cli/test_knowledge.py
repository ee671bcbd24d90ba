"""`paramedic knowledge`: a fault is begun, linted, proven, shown and used without any Python."""

from pathlib import Path

import pytest

from paramedic.knowledge.folder import CHECKOUT

from .conftest import Say

FAULT = """\
family: host
level: P2
restart: useless
title: {en: The model disk is slow, zh: 模型所在磁盘太慢}
summary: {en: "Loading took {seconds} s.", zh: "加载用了 {seconds} 秒。"}
seen:
  - log: "ModelDiskWatch: loading took {seconds:int} seconds"
remedies: [faster-disk]
source: "run: our own loader."
"""
REMEDY = "text: {en: Move the model to a local disk., zh: 把模型移到本地磁盘。}\n"
PROOF = "INFO 11-24 08:00:00 [loader.py:3] ModelDiskWatch: loading took 900 seconds\n"


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As where Paramedic is installed: its own proofs are not there."""
    monkeypatch.setattr("paramedic.knowledge.folder.CHECKOUT", tmp_path / "none")


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A folder of knowledge with one good fault."""
    folder = tmp_path / "mine"
    for name, text in {
        "faults/disk-too-slow.yaml": FAULT,
        "remedies/faster-disk.yaml": REMEDY,
        "proofs/disk-too-slow/1.log": PROOF,
        "healthy/quiet.log": "INFO 11-24 08:00:00 [loader.py:3] ModelDiskWatch: loading took no time\n",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return folder


def test_a_new_fault_says_what_is_still_empty(paramedic: Say, tmp_path: Path) -> None:
    said = paramedic("knowledge", "new", "fault", "disk-too-slow", "--folder", "mine")
    assert said.code == 0
    assert (tmp_path / "mine/proofs/disk-too-slow/1.log").read_text() == ""
    linted = paramedic("knowledge", "lint", "mine")
    assert linted.code == 2
    told = linted.out
    assert all(f"mine/faults/disk-too-slow.yaml:{line}: " in told for line in (4, 12, 18, 24)), told
    assert "family is missing (one of memory, model-load" in told


def test_a_new_fault_filled_in_as_its_comments_say_is_sound(paramedic: Say, tmp_path: Path) -> None:
    paramedic("knowledge", "new", "fault", "disk-too-slow", "--folder", "mine")
    path = tmp_path / "mine/faults/disk-too-slow.yaml"
    text = path.read_text()
    for empty, filled in {
        'family: ""': "family: host",
        'title: {en: "", zh: ""}': "title: {en: Slow disk, zh: 磁盘太慢}",
        'summary: {en: "", zh: ""}': "summary: {en: The disk is slow., zh: 磁盘太慢。}",
        'log: [""]': 'log: ["ModelDiskWatch: loading took"]',
        "    # confidence: 0.9": "    confidence: 0.9",
        "remedies: []": "remedies: [local-copy]",
        'source: ""': 'source: "run: ours."',
    }.items():
        assert empty in text
        text = text.replace(empty, filled)
    path.write_text(text)
    (tmp_path / "mine/proofs/disk-too-slow/1.log").write_text(PROOF)
    assert paramedic("knowledge", "lint", "mine").out == "Sound: 1 faults.\n"
    assert paramedic("knowledge", "test", "disk-too-slow", "--folder", "mine").code == 0


def test_nothing_is_overwritten(paramedic: Say, mine: Path) -> None:
    said = paramedic("knowledge", "new", "fault", "disk-too-slow", "--folder", str(mine))
    assert said.code == 2
    assert "is already there" in said.err
    assert (mine / "faults/disk-too-slow.yaml").read_text() == FAULT


@pytest.mark.parametrize("name", ["Disk", "disk", "disk_slow", "../disk-slow"])
def test_an_id_that_cannot_be_one(paramedic: Say, name: str, tmp_path: Path) -> None:
    said = paramedic("knowledge", "new", "fault", name, "--folder", "mine")
    assert (said.code, list(tmp_path.iterdir())) == (2, [])
    assert "small letters with hyphens" in said.err


def test_the_id_of_one_of_ours_is_taken(paramedic: Say) -> None:
    assert "is already there" in paramedic("knowledge", "new", "fault", "oom-gpu-runtime", "--folder", "mine").err


def test_a_sound_folder(paramedic: Say, mine: Path) -> None:
    assert paramedic("knowledge", "lint", str(mine)).code == 0
    assert paramedic("knowledge", "lint", str(mine), "--json").json == {"faults": 1, "problems": []}


MESSAGE = '"ModelDiskWatch: loading took {seconds:int} seconds"'
UNSOUND = {
    "no source": ('source: "run: our own loader."\n', "", "disk-too-slow.yaml:1: there is no source"),
    "no Chinese": ("模型所在磁盘太慢", "The disk is slow", ":4: the Chinese sentence holds no Chinese"),
    "one language names a number": (
        "加载用了 {seconds} 秒",
        "加载太慢",
        ":5: only one of the languages names {seconds}",
    ),
    "no rare word": (
        '"ModelDiskWatch: loading took {seconds:int} seconds"',
        '["INFO {seconds:int}"]',
        "has no rare word",
    ),
    "no remedy": ("[faster-disk]", "[]", ":8: there is no remedy"),
    "unused remedy": ("[faster-disk]", "[local-copy]", "faster-disk.yaml:1: no fault uses the remedy 'faster-disk'"),
}


@pytest.mark.parametrize("name", UNSOUND)
def test_what_is_unsound_is_named_with_its_line(paramedic: Say, mine: Path, name: str) -> None:
    right, wrong, told = UNSOUND[name]
    (mine / "faults/disk-too-slow.yaml").write_text(FAULT.replace(right, wrong), "utf-8")
    said = paramedic("knowledge", "lint", str(mine))
    assert said.code == 2
    assert told in said.out


def test_a_remedy_and_a_table_are_judged_too(paramedic: Say, mine: Path) -> None:
    (mine / "remedies/faster-disk.yaml").write_text("text: {en: Move it., zh: Move it.}\n")
    (mine / "numbers").mkdir()
    (mine / "numbers/codes.yaml").write_text("hole: code\nrows: []\n")
    told = paramedic("knowledge", "lint", str(mine)).out
    assert "faster-disk.yaml:1: the Chinese sentence holds no Chinese" in told
    assert "codes.yaml:1: no fault uses the table 'codes'" in told
    assert "codes.yaml:1: there is no source" in told


def test_a_fault_that_is_loud_where_nothing_is_wrong(paramedic: Say, mine: Path, tmp_path: Path) -> None:
    log = tmp_path / "good.log"
    log.write_text("all is well\n" + PROOF)
    said = paramedic("knowledge", "lint", str(mine), "--healthy", str(log))
    assert said.code == 2
    assert f"is found in the healthy log {log}:2" in said.out


def test_a_fault_without_a_proof(paramedic: Say, mine: Path) -> None:
    (mine / "proofs/disk-too-slow/1.log").unlink()
    assert "there is no proof" in paramedic("knowledge", "lint", str(mine)).out
    tested = paramedic("knowledge", "test", "--folder", str(mine))
    assert tested.code == 1
    assert "disk-too-slow  no proof" in tested.out


def test_the_proofs_of_a_folder(paramedic: Say, mine: Path) -> None:
    said = paramedic("knowledge", "test", "--folder", str(mine))
    assert said.code == 0, said.out
    assert "disk-too-slow  1/1" in said.out
    (mine / "proofs/disk-too-slow/2.log").write_text("torch.cuda.OutOfMemoryError: CUDA out of memory.\n")
    said = paramedic("knowledge", "test", "disk-too-slow", "--folder", str(mine), "--lang", "zh")
    assert said.code == 1
    assert "disk-too-slow  1/2" in said.out
    assert "2.log: oom-" in said.out


def test_a_loud_fault_fails_the_healthy_logs(paramedic: Say, mine: Path) -> None:
    (mine / "healthy/quiet.log").write_text(PROOF)
    tested = paramedic("knowledge", "test", "--folder", str(mine), "--json")
    assert tested.code == 1
    wrong = [proof for proof in tested.json["proofs"] if not proof["right"]]
    assert [(proof["fault"], proof["found"]) for proof in wrong] == [("", ["disk-too-slow"])]


def test_a_scene_proves_what_no_log_shows(paramedic: Say, mine: Path) -> None:
    text = FAULT.replace(f"- log: {MESSAGE}", '- metrics: ["my_disk > 5"]')
    text = text.replace("Loading took {seconds} s.", "Slow.").replace("加载用了 {seconds} 秒。", "太慢。")
    (mine / "faults/disk-too-slow.yaml").write_text(text, "utf-8")
    proof = mine / "proofs/disk-too-slow/1.log"
    proof.unlink()
    scene = proof.with_name("seen.yaml")
    scene.write_text('state: serving\nsamples: {my_disk: "9x30"}\n')
    assert "disk-too-slow  1/1" in paramedic("knowledge", "test", "--folder", str(mine)).out
    scene.write_text("stat: serving\n")
    said = paramedic("knowledge", "test", "--folder", str(mine))
    assert said.code == 2
    assert "seen.yaml:1: unknown key 'stat' (did you mean 'state'?)" in said.err


def test_show_in_both_languages(paramedic: Say) -> None:
    said = paramedic("knowledge", "show", "gpu-fell-off-bus")
    assert said.code == 0
    for words in (
        "The GPU fell off the bus",
        "GPU 掉卡",
        "`GPU has fallen off the bus`",
        "replace-gpu",
        "NVIDIA's action",
    ):
        assert words in said.out


def test_show_for_machines_holds_the_flags(paramedic: Say) -> None:
    shown = paramedic("knowledge", "show", "kv-cache-smaller-than-max-model-len", "--json").json
    assert "--max-model-len {fitting_len}" in [flag for remedy in shown["remedies"] for flag in remedy["flags"]]
    assert shown["title"]["zh"]


@pytest.mark.parametrize("command", ["show", "test"])
def test_a_wrong_id_is_answered_with_the_right_one(paramedic: Say, command: str) -> None:
    said = paramedic("knowledge", command, "gpu-fel-off-bus")
    assert said.code == 2
    assert "there is no fault 'gpu-fel-off-bus' (did you mean 'gpu-fell-off-bus'?)" in said.err


def test_the_configured_folder_is_used_beside_ours(paramedic: Say, mine: Path, tmp_path: Path) -> None:
    (tmp_path / "paramedic.yaml").write_text("knowledge: [mine]\n")
    listed = {fault["id"] for fault in paramedic("knowledge", "list", "--json").json["faults"]}
    assert {"disk-too-slow", "oom-gpu-runtime"} <= listed
    assert "模型所在磁盘太慢" in paramedic("knowledge", "show", "disk-too-slow").out


def test_a_diagnosis_knows_the_configured_faults(paramedic: Say, mine: Path, tmp_path: Path) -> None:
    log = mine / "proofs/disk-too-slow/1.log"
    assert paramedic("diagnose", str(log), "--json").json["findings"] == []
    (tmp_path / "paramedic.yaml").write_text("knowledge: [mine]\n")
    found = paramedic("diagnose", str(log), "--json").json["findings"][0]
    assert (found["cause"], found["summary"]) == ("disk-too-slow", "Loading took 900 s.")


def test_an_id_that_both_have_is_an_error(paramedic: Say, mine: Path) -> None:
    (mine / "faults/disk-too-slow.yaml").rename(mine / "faults/oom-gpu-runtime.yaml")
    said = paramedic("knowledge", "list", "--folder", str(mine))
    assert said.code == 2
    assert "oom-gpu-runtime.yaml:1: the id 'oom-gpu-runtime' is already taken in faults/" in said.err


@pytest.mark.parametrize(("folder", "told"), [("min", "did you mean 'mine'?"), (".", "holds no faults")])
def test_a_folder_that_is_none(paramedic: Say, mine: Path, folder: str, told: str) -> None:
    said = paramedic("knowledge", "lint", folder)
    assert said.code == 2
    assert told in said.out


def test_where_our_own_proofs_are_not(paramedic: Say) -> None:
    said = paramedic("knowledge", "test")
    assert said.code == 2
    assert "tests/knowledge/faults" in said.err


def test_our_own_proofs_in_a_checkout(paramedic: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("paramedic.knowledge.folder.CHECKOUT", CHECKOUT)
    tested = paramedic("knowledge", "test", "gpu-fell-off-bus", "api-server-killed", "--json").json
    assert tested["unproven"] == []
    assert {proof["fault"] for proof in tested["proofs"] if proof["right"]} >= {"gpu-fell-off-bus", "api-server-killed"}
    assert len([proof for proof in tested["proofs"] if not proof["fault"]]) > 40  # the healthy logs
