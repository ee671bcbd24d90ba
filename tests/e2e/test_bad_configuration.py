"""A configuration that is wrong: every mistake at once, with its line and what to do, and never a secret."""

from pathlib import Path

import pytest

from tests.e2e.bad import SECRET, Case, check_words, files_of, run, say, without_roots_eyes

EVERYTHING = """\
intervall: 5s
discovery: "yes"
targets:
  - url: http://me:hunter2@10.0.0.7:8000
    nmae: a
  - url: http://10.0.0.8:8000/v1
    name: a
  - url: http://10.0.0.8:8000
    name: a
    api_key: hunter2
  - {url: "10.0.0.9:8000", api_key: {env: NO_SUCH_VARIABLE}}
  - {urll: x}
recovery: {budget: many, windw: 15min, backoff: 10 sec}
modes: {found: atc}
notifiers:
  - {name: w, type: webhok, url: "https://hooks.example/?key=hunter2"}
  - {name: w, type: webhook}
rules: [nowhere.yml]
server: {port: 99999, host: 0.0.0.0}
"""
REPEATED = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefg", "bcdefgh", strict=True)  # 9^8 values in 8 lines
)


def config(content: str | bytes, code: int = 2) -> Case:
    return Case("config check paramedic.yaml", code, {"paramedic.yaml": content})


CASES = {
    "everything": config(EVERYTHING),
    "empty": config("", code=0),
    "tab": config("interval: 5s\n\tdiscovery: no\n"),
    "bracket": config("interval: 5s\ntargets: [\n"),
    "quote": config('lang: "en\ninterval: 5s\n'),
    "indentation": config("recovery:\n  budget: 3\n window: 5m\n"),
    "colon": config("lang: en: zh\n"),
    "sign": config("targets:\n  - {url: http://h:1, name: @hunter2}\n"),
    "alias": config("lang: *hunter2\n"),
    "tag": config('lang: !!python/object/apply:os.system ["hunter2"]\n'),
    "twice": config("interval: 5s\nlang: en\ninterval: 6s\n"),
    "two-documents": config("interval: 5s\n---\ninterval: 6s\n"),
    "list": config("- interval: 5s\n"),
    "key-is-a-number": config("5: x\ninterval: 5s\n"),
    "date": config("lang: 2026-13-45\n"),
    "itself": config("targets: &a [*a]\n"),
    "repeated": config(REPEATED),
    "nested": config("[" * 5000),
    "binary": config(bytes(range(256))),
    "zeros": config(b"\0" * 512),
    "folder": Case("config check paramedic.yaml/", 2, {"paramedic.yaml/": ""}),
    "absent": Case("config check paramedc.yaml", 2, {"paramedic.yaml": ""}),
    "absent-variable": Case("config show", 2, env={"PARAMEDIC_CONFIG": "/nowhere/paramedic.yaml"}),
    "watch": Case("watch --no-practice", 2, {"paramedic.yaml": "intervall: 5s\ntargetz: []\n"}),
    "status": Case("status", 2, {"paramedic.yaml": "interval: [\n"}, env={"PARAMEDIC_DATA": ""}),
}


@pytest.mark.parametrize("name", CASES)
def test_words(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said, code = say(CASES[name], tmp_path, monkeypatch)
    assert code == CASES[name].code, said
    check_words(f"config-{name}", said, code, tmp_path)


def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "paramedic.yaml").write_text(f"lang: {SECRET}\n")
    (tmp_path / "paramedic.yaml").chmod(0)
    said, code = run("config show", tmp_path, preexec_fn=without_roots_eyes)
    assert code == 2
    check_words("config-unreadable", said, code, tmp_path)


def test_every_text_is_still_said() -> None:
    assert files_of("config") == {f"config-{name}" for name in (*CASES, "unreadable")}


def test_a_machine_gets_the_same_mistakes(tmp_path: Path) -> None:
    (tmp_path / "paramedic.yaml").write_text("intervall: 5s\n")
    said, code = run("config check paramedic.yaml --json", tmp_path)
    assert code == 2
    assert '"line": 1' in said
    assert "did you mean 'interval'?" in said
