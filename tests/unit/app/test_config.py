"""The values of a configuration: durations, addresses, secrets."""

from pathlib import Path

import pytest

from paramedic.app.config import Secret, parse_duration, parse_engine_url, shown_url


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5s", 5), ("250ms", 0.25), ("15m", 900), ("1h30m", 5400), ("1d", 86400), ("1.5m", 90), ("10 s", 10), (7, 7)],
)
def test_durations(text: object, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "5x", "s", "-5s", "5s!", "m5", None, True, [], "１0s x"])
def test_what_is_no_duration(text: object) -> None:
    with pytest.raises(ValueError, match="is not a duration: write 5s, 15m, 1h or a number of seconds"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://h:8000/", "http://h:8000"),
        ("http://h:8000/v1", "http://h:8000"),
        ("http://h:8000/v1/", "http://h:8000"),
        ("https://H/base/v1", "https://h/base"),
        ("http://[::1]:8000/v1", "http://[::1]:8000"),
        ("http://h/v10", "http://h/v10"),
    ],
)
def test_addresses_are_normal(text: str, url: str) -> None:
    assert parse_engine_url(text) == url


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("h:8000", "is not a URL"),
        ("ftp://h", "is not a URL"),
        ("http://", "is not a URL"),
        ("http://h:99999", "its port"),
        ("http://me:hunter2@h", "do not belong in a URL: use api_key"),
        ("http://h/?key=hunter2", "leave out what follows"),
        (5, "is not a URL"),
    ],
)
def test_what_is_no_address(text: object, words: str) -> None:
    with pytest.raises(ValueError, match=words) as error:
        parse_engine_url(text)
    assert "hunter2" not in str(error.value)


def test_a_secret_is_read_when_it_is_used_and_never_shown(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("hunter2\n")
    secret = Secret(file=str(file))
    assert secret.reveal() == "hunter2"
    file.write_text("rotated")
    assert secret.reveal() == "rotated"
    assert "hunter2" not in f"{secret!r}{secret}"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://qyapi.example/cgi-bin/webhook/send?key=abc", "https://qyapi.example/***"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("http://127.0.0.1:8080?x=abc", "http://127.0.0.1:8080/***"),
    ],
)
def test_an_address_of_a_webhook_is_shown_without_its_key(url: str, shown: str) -> None:
    assert shown_url(url) == shown
