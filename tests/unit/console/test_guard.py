"""Only callers on this machine, under its own name, with the token."""

import pytest

from paramedic.console.guard import Guard, is_loopback


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:9911", "127.9.9.9:1", "localhost", "LOCALHOST:80", "[::1]", "[::1]:9911"]
)
def test_names_of_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        ":",
        "evil.example",
        "evil.example:9911",
        "127.0.0.1.evil.example",
        "localhost.evil.example:1",
        "localhost:x",
        "10.0.0.1:9911",
        "0.0.0.0:80",
        "[::2]:1",
        "127.0.0.1:9911:1",
        "127.0.0.1@evil",
    ],
)
def test_other_names(host: str) -> None:
    assert not is_loopback(host)


def test_an_empty_token_is_refused() -> None:
    async def nothing(*_: object) -> None: ...

    with pytest.raises(ValueError, match="open to everybody"):
        Guard(nothing, "")
