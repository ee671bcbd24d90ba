"""The command as a person mistypes it: a sentence, the right exit code, nothing started."""

from pathlib import Path

import pytest

from paramedic.cli.main import main


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


def test_a_misspelt_command_is_guessed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("wathc") == 2
    assert "No such command 'wathc'. Did you mean 'watch'?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--for", "5x"], "--for: is not a duration: write 5s, 15m, 1h or a number of seconds"),
        (["--target", "nonsense"], "--target: is not a URL: write http://HOST:PORT"),
        (
            ["--target", "http://a:b@h:1"],
            "--target: a user and a password do not belong in a URL: use api_key",
        ),
    ],
)
def test_a_wrong_option_of_watch_is_named(
    arguments: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("watch", "--data-dir", str(tmp_path), *arguments) == 2
    assert sentence in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_command_that_is_not_there_starts_nothing_and_leaves_no_ghost(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    watch = ("watch", "--no-discovery", "--data-dir", str(tmp_path))
    assert run(*watch, "--", "/no/such/vllm", "serve", "m", "--port", "8999") == 2
    assert "/no/such/vllm: no such file" in capsys.readouterr().err
    assert run("status", "--data-dir", str(tmp_path), "--lang", "en") == 3
    assert "No server has ever been watched here" in capsys.readouterr().out


def test_a_command_that_tells_no_address_is_asked_for_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("watch", "--no-discovery", "--data-dir", str(tmp_path), "--", "sleep", "5") == 2
    assert "does not tell where its engine will answer. Say it: --target" in capsys.readouterr().err
