"""Commands that cannot work: what is wrong, what was meant, and nothing is begun."""

from pathlib import Path

import pytest

from tests.e2e.bad import SECRET, Case, check_words, files_of, say
from tests.fakes.night import waits_for_a_person
from tests.unit.cli.conftest import write_journal

QUIET = "watch --no-discovery --no-practice --for 100ms"
LOGS = "server: {port: 0}\ntargets:\n  - {url: http://127.0.0.1:1, log: logs}\n"

CASES = {
    "command": Case("wacth", 2),
    "subcommand": Case("config chek", 2),
    "option": Case("status --dta-dir x", 2),
    "argument": Case("status qwen", 2),
    "number": Case("incidents --limit many", 2),
    "language": Case("status --lang de", 2),
    "no-action": Case("approve", 2),
    "nobody-watches": Case("approve ACT-0001", 4),
    "nobody-watches-stop": Case("stop", 4),
    "never-watched": Case("status", 3),
    "never-watched-explain": Case("explain INC-2026-0001", 3),
    "data-dir-is-a-file": Case("status --data-dir file", 2, {"file": "x"}),
    "timeout": Case("stop --timeout soon", 2),
    "practice-fault": Case("practice break engine-core-dead", 2),
    "practice-nothing-runs": Case("practice break engine-core-died", 4),
    "target-no-url": Case(f"{QUIET} --target 10.0.0.7:8000", 2),
    "target-secret": Case(f"{QUIET} --target http://me:{SECRET}@10.0.0.7:8000", 2),
    "target-query": Case(f"{QUIET} --target http://10.0.0.7:8000?key={SECRET}", 2),
    "target-port": Case(f"{QUIET} --target http://10.0.0.7:80000", 2),
    "for": Case("watch --for a-while", 2),
    "log-without-target": Case(f"{QUIET} --log server.log", 2),
    "log-absent": Case(f"{QUIET} --log sever.log --target http://127.0.0.1:1", 0, {"server.log": ""}, apart=True),
    "log-folder": Case(f"{QUIET} --config c.yaml --lang zh", 0, {"c.yaml": LOGS, "logs/": ""}, apart=True),
    "log-of-two-targets": Case(f"{QUIET} --log x.log --target http://a:1 --target http://b:1", 2),
    "log-of-a-command": Case(f"{QUIET} --log x.log -- vllm serve m", 2),
    "name-without-command": Case(f"{QUIET} --name qwen", 2),
    "command-with-two-targets": Case(f"{QUIET} --target http://a:1 --target http://b:1 -- vllm serve m", 2),
    "command-is-an-option": Case(f"{QUIET} -- --target http://a:1", 2),
    "command-is-not-there": Case(f"{QUIET} -- vlllm serve m --port 1", 2, env={"PATH": "/nowhere"}),
    "command-tells-no-port": Case(f"{QUIET} -- sleep 100", 2),
}


@pytest.mark.parametrize("name", CASES)
def test_words(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = CASES[name]
    said, code = say(case, tmp_path, monkeypatch)
    assert code == case.code, said
    told = said.partition("\n")[2]  # the command itself was typed by the person
    check_words(f"command-{name}", f"$ paramedic {case.command.replace(SECRET, '***')}\n{told}", code, tmp_path)


def test_an_incident_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_journal(tmp_path / "data", waits_for_a_person())
    said, code = say(Case("explain INC-2026-0010", 2), tmp_path, monkeypatch)
    assert code == 2
    check_words("command-no-such-incident", said, code, tmp_path)


def test_every_text_is_still_said() -> None:
    assert files_of("command") == {f"command-{name}" for name in (*CASES, "no-such-incident")}
