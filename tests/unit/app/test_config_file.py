"""Where a configuration is found, what it says, and every mistake in its exact words."""

from pathlib import Path

import pytest

from paramedic.app.config import Secret, WebhookConfig
from paramedic.app.config_file import data_dir_of_file, find, knowledge_of_file, load, shown_values
from paramedic.model.errors import InvalidFiles
from paramedic.model.target import Mode

WHOLE = """\
interval: 2s
data_dir: data
lang: zh
discovery: false
targets:
  - url: http://10.0.0.12:8200/v1/
    name: qwen
    mode: ask
    api_key: {env: QWEN_KEY}
    log: logs/qwen.log
  - {url: "http://10.0.0.13:8200"}
modes: {found: ask}
recovery:
  budget: 5
  window: 30m
notifiers:
  - {name: oncall, type: webhook, url: "https://hooks.example/x?key=hunter2", secret: {file: hook.key}}
  - {name: here, type: terminal}
server: {port: 0}
rules: [rules]
knowledge: [mine]
"""


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    (tmp_path / "hook.key").write_text("hunter2")
    (tmp_path / "rules").mkdir()
    (tmp_path / "mine").mkdir()
    path = tmp_path / "paramedic.yaml"
    path.write_text(WHOLE)
    return path


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder without a configuration."""
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    return empty


def test_every_key(whole: Path, tmp_path: Path) -> None:
    config = load(whole, {"QWEN_KEY": "hunter2"}).config
    first, second = config.targets
    assert (first.url, first.name, first.mode) == ("http://10.0.0.12:8200", "qwen", Mode.ASK)
    assert first.log == str(tmp_path / "logs/qwen.log")
    assert (second.name, second.mode, second.api_key) == (None, None, None)
    assert (config.interval, config.discovery, config.lang) == (2.0, False, "zh")
    assert config.data_dir == str(tmp_path / "data")
    assert (config.recovery.budget, config.recovery.window, config.recovery.backoff) == (5, 1800.0, 10.0)
    assert (config.modes.started, config.modes.found) == (Mode.ACT, Mode.ASK)
    hook, here = config.notifiers
    assert isinstance(hook, WebhookConfig)
    assert hook.secret is not None
    assert hook.secret.reveal() == "hunter2"
    assert here.type == "terminal"
    assert config.rules == (str(tmp_path / "rules"),)
    assert config.knowledge == (str(tmp_path / "mine"),)


def test_the_folders_of_knowledge_are_found_beside_any_other_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "paramedic.yaml").write_text("intervall: 2s\nknowledge: [mine, 7, ../theirs]\n")
    monkeypatch.chdir(tmp_path)
    assert knowledge_of_file({}) == (tmp_path / "mine", tmp_path / "../theirs")
    (tmp_path / "paramedic.yaml").write_text("knowledge:\n")
    assert knowledge_of_file({}) == ()


def test_where_each_value_came_from(whole: Path) -> None:
    environ = {"QWEN_KEY": "x", "PARAMEDIC_DATA": "/elsewhere"}
    loaded = load(whole, environ, {"interval": "9s", "lang": None})
    assert (loaded.config.interval, loaded.origins["interval"]) == (9.0, "--interval")
    assert (loaded.config.data_dir, loaded.origins["data_dir"]) == ("/elsewhere", "$PARAMEDIC_DATA")
    assert loaded.origins["lang"] == f"{whole}:3"
    assert loaded.origins["targets[0].mode"] == f"{whole}:8"
    assert loaded.origins["targets[1].url"] == f"{whole}:11"
    assert loaded.origins["targets[1].mode"] == "default"
    assert loaded.origins["recovery.window"] == f"{whole}:15"
    assert loaded.origins["recovery.backoff"] == "default"


def test_no_secret_is_shown(whole: Path) -> None:
    loaded = load(whole, {"QWEN_KEY": "hunter2"})
    shown = dict(shown_values(loaded.config))
    assert shown["targets[0].api_key"] == "*** (environment QWEN_KEY)"
    assert shown["notifiers[0].url"] == "https://hooks.example/***"
    assert set(shown) == set(loaded.origins)
    assert "hunter2" not in str(shown) + repr(loaded.config.targets)


def test_no_file_is_needed(nowhere: Path) -> None:
    loaded = load(None, {"HOME": str(nowhere)})
    if loaded.path is None:  # a machine may have /etc/paramedic
        assert set(loaded.origins.values()) == {"default"}
        assert loaded.config.interval == 5.0


def test_an_empty_file_is_in_order(tmp_path: Path) -> None:
    path = tmp_path / "paramedic.yaml"
    path.write_text("# nothing yet\n")
    assert load(path, {}).config.server.port == 9911


def test_the_order_in_which_it_is_looked_for(nowhere: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    users = home / ".config/paramedic/paramedic.yaml"
    users.parent.mkdir(parents=True)
    users.touch()
    named, explicit = tmp_path / "named.yaml", tmp_path / "explicit.yaml"
    named.touch()
    explicit.touch()
    environ = {"HOME": str(home)}
    assert find(None, environ) == users
    (nowhere / "paramedic.yaml").touch()
    assert find(None, environ) == nowhere / "paramedic.yaml"
    environ["PARAMEDIC_CONFIG"] = str(named)
    assert find(None, environ) == named
    assert find(explicit, environ) == explicit


def test_a_named_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InvalidFiles, match=r"x\.yaml: there is no such file$"):
        find(tmp_path / "x.yaml", {})
    with pytest.raises(InvalidFiles, match=r"no such file \(it is named by \$PARAMEDIC_CONFIG\)"):
        find(None, {"PARAMEDIC_CONFIG": str(tmp_path / "x.yaml")})


def test_the_data_folder_is_found_without_judging_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("data_dir: here\nnonsense: 1\n")
    assert data_dir_of_file({"PARAMEDIC_CONFIG": str(path)}) == tmp_path / "here"


WRONG = """\
interval: 5x
targetz: []
discovery: sure
targets:
  - url: http://me:hunter2@h:1/v1/
    api_key: hunter2
    mode: obsrve
  - name: "a b"
    nme: x
  - {url: "http://h:8000/v1", name: a, api_key: {env: NO_SUCH_KEY}}
  - {url: "http://h:8000", name: a, api_key: {file: nokey}}
  - {url: "http://i", api_key: {env: sk-hunter2}}
  - {url: "http://j", api_key: {env: A, file: b}}
recovery: {budget: "3", window: 0, backof: 1s}
notifiers:
  - {name: w, type: webhok, url: x}
  - {name: w, type: webhook}
  - {name: t, type: terminal, url: x}
  - {name: z}
  - {name: m, type: email, host: "https://mail.example.com", sender: duty, to: [], pasword: x}
  - {name: n, type: email, host: mail.example.com, sender: a@b.c, to: [a@b.c, a b@c], user: u}
  - {name: o, type: email, host: mail.example.com, sender: a@b.c, to: [a@b.c], security: none}
  - {name: p, type: email, host: h, sender: a@b.c, to: [a@b.c], user: u, password: hunter2}
server: {host: 0.0.0.0, port: 99999}
rules: [nope.yaml]
lang: de
modes: act
"""

MISTAKES = """\
1: interval: is not a duration: write 5s, 15m, 1h or a number of seconds
2: unknown key 'targetz' (did you mean 'targets'?)
3: discovery: must be true or false
5: targets[0].url: a user and a password do not belong in a URL: use api_key
6: targets[0].api_key: a secret does not belong in this file: write {env: NAME} or {file: PATH}
7: targets[0].mode: 'obsrve' is not one of observe, ask, act (did you mean 'observe'?)
8: targets[1]: key 'url' is missing
8: targets[1].name: must not contain blanks
9: unknown key 'targets[1].nme' (did you mean 'name'?)
10: targets[2].api_key: the environment variable NO_SUCH_KEY is not set or is empty
11: targets[3].api_key: the file FOLDER/nokey cannot be read: No such file or directory
11: targets[3].name: is already used in line 10
11: targets[3].url: is already used in line 10
12: targets[4].api_key: env must be the name of an environment variable, not the secret itself
13: targets[5].api_key: write either {env: NAME} or {file: PATH}
14: recovery.budget: must be a whole number
14: recovery.window: must be more than 0
14: unknown key 'recovery.backof' (did you mean 'backoff'?)
16: notifiers[0].type: 'webhok' is not one of webhook, email, terminal (did you mean 'webhook'?)
17: notifiers[1]: key 'url' is missing
17: notifiers[1].name: is already used in line 16
18: unknown key 'notifiers[2].url' (known are name, type)
19: notifiers[3]: key 'type' is missing (one of 'webhook', 'email', 'terminal')
20: notifiers[4].host: is not the name of a machine: write smtp.example.com, the port has its own key
20: notifiers[4].sender: is not a mail address: write name@example.com
20: notifiers[4].to: must not be empty
20: unknown key 'notifiers[4].pasword' (did you mean 'password'?)
21: notifiers[5].to[1]: is not a mail address: write name@example.com
22: notifiers[6]: security: none is for a mail server of this machine; others need starttls or tls
23: notifiers[7].password: a secret does not belong in this file: write {env: NAME} or {file: PATH}
24: server.host: must be a loopback address, such as 127.0.0.1: the API is for this machine only
24: server.port: must be at most 65535
25: rules[0]: no such file or folder: FOLDER/nope.yaml
26: lang: 'de' is not one of en, zh
27: modes: must hold keys and values
"""


def test_every_mistake_at_once_in_exact_words_and_no_secret(tmp_path: Path) -> None:
    path = tmp_path / "paramedic.yaml"
    path.write_text(WRONG)
    with pytest.raises(InvalidFiles) as error:
        load(path, {"A": "x"})
    told = str(error.value).replace(f"{path}:", "").replace(str(tmp_path), "FOLDER")
    assert told.splitlines() == MISTAKES.splitlines()
    assert "hunter2" not in told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("- a\n", "1: must hold keys and values (for example: interval: 5s)"),
        ("targets: {}\n", "1: targets: must be a list"),
        ("targets: [x]\n", "1: targets[0]: must hold keys and values"),
        ("interval: .nan\n", "1: interval: must be a finite number"),
        ("recovery: {window: .inf}\n", "1: recovery.window: must be a finite number"),
        ("interval: 0.1\n", "1: interval: must be at least 1"),
        ("interval: 5s\ninterval: 6s\n", "2: key 'interval' is given twice"),
        ("rules: nope\n", "1: rules: must be a list"),
        ("notifiers: [{type: terminal, name: ''}]\n", "1: notifiers[0].name: must not be empty"),
    ],
)
def test_single_mistakes(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "paramedic.yaml"
    path.write_text(text)
    with pytest.raises(InvalidFiles) as error:
        load(path, {})
    assert str(error.value) == f"{path}:{told}"


def test_a_mistake_in_an_option_names_the_option(nowhere: Path) -> None:
    with pytest.raises(InvalidFiles) as error:
        load(None, {"HOME": str(nowhere)}, {"interval": "2q"})
    assert str(error.value).startswith("--interval: interval: is not a duration")


def test_a_secret_that_goes_missing_says_which(tmp_path: Path) -> None:
    secret = Secret.model_construct(file=str(tmp_path / "gone"))
    with pytest.raises(ValueError, match="gone cannot be read"):
        secret.reveal()
