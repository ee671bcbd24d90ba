"""`paramedic config`: what is in force, and what is wrong with a file."""

from pathlib import Path

import pytest

from .conftest import Say


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "my.yaml"
    path.write_text("interval: 2s\ntargets:\n  - {url: 'http://h:1', api_key: {env: PARAMEDIC_TEST_KEY}}\n")
    return path


def test_show_says_where_each_value_came_from(paramedic: Say, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARAMEDIC_TEST_KEY", "hunter2")
    said = paramedic("config", "show", "--config", str(file))
    lines = {line.split()[0]: line.split(maxsplit=1)[1] for line in said.out.splitlines()}
    assert said.code == 0
    assert lines["interval"].split() == ["2", f"{file}:1"]
    assert lines["server.port"].split() == ["9911", "default"]
    assert lines["targets[0].api_key"].startswith("*** (environment PARAMEDIC_TEST_KEY)")
    assert "hunter2" not in said.out


def test_show_for_machines(paramedic: Say, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARAMEDIC_TEST_KEY", "hunter2")
    shown = paramedic("config", "show", "--config", str(file), "--json").json
    assert shown["path"] == str(file)
    assert shown["values"]["interval"] == {"value": 2.0, "origin": f"{file}:1"}
    assert shown["values"]["lang"] == {"value": "en", "origin": "default"}
    assert shown["values"]["discovery"]["value"] is True


def test_check_finds_a_file_in_order(paramedic: Say, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARAMEDIC_TEST_KEY", "hunter2")
    assert paramedic("config", "check", str(file)).out == f"{file}: in order\n"
    assert paramedic("config", "check", str(file), "--json").json == {"ok": True, "problems": []}


def test_check_tells_every_mistake(paramedic: Say, tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("intervall: 2s\nlang: fr\n")
    said = paramedic("config", "check", str(path))
    assert said.code == 2
    assert said.err.splitlines() == [
        f"paramedic: {path}:1: unknown key 'intervall' (did you mean 'interval'?)",
        f"{path}:2: lang: 'fr' is not one of en, zh",
    ]
    machine = paramedic("config", "check", str(path), "--json")
    assert machine.code == 2
    assert machine.json["problems"][0] == {
        "file": str(path),
        "line": 1,
        "text": "unknown key 'intervall'",
        "hint": "did you mean 'interval'?",
    }


def test_a_data_folder_named_in_the_file_is_the_one_that_is_read(paramedic: Say, tmp_path: Path) -> None:
    (tmp_path / "paramedic.yaml").write_text("data_dir: night\n")
    assert f"there is no journal in {tmp_path / 'night'}" in paramedic("status").err
