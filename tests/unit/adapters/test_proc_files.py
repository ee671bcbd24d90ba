import os

import pytest

from paramedic.adapters.processes import stat as proc
from paramedic.adapters.processes.sockets import _address
from paramedic.adapters.processes.stat import read_stat, same_process

LINE = b"42 (odd ) S 1 (name) R 7 8 9 0 -1 4194304 1 0 0 0 250 50 0 0 20 0 1 0 3000 1 1"


def test_a_name_with_brackets_does_not_shift_the_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proc, "read_bytes", lambda pid, name, limit: LINE)
    monkeypatch.setattr(proc, "boot_time", lambda: 1_000.0)
    stat = read_stat(42)
    assert stat is not None
    assert (stat.name, stat.state, stat.parent, stat.group, stat.session) == ("odd ) S 1 (name", "R", 7, 8, 9)
    assert stat.cpu_seconds == 300 / proc.TICK
    assert stat.started == 1_000 + 3000 / proc.TICK
    assert stat.alive


def test_who_is_not_there_has_no_stat() -> None:
    assert read_stat(2**22 + 1) is None
    assert not same_process(None, 0.0)


def test_the_start_time_tells_processes_of_one_pid_apart() -> None:
    me = read_stat(os.getpid())
    assert me is not None
    assert same_process(me, me.started + 1.0)  # the clock may have been set meanwhile
    assert not same_process(me, me.started - 60.0)


@pytest.mark.parametrize(
    ("hexadecimal", "address"),
    [
        ("0100007F", "127.0.0.1"),
        ("00000000", "0.0.0.0"),  # noqa: S104
        ("00000000000000000000000001000000", "::1"),
        ("00000000000000000000000000000000", "::"),
        ("0000000000000000FFFF00000100007F", "127.0.0.1"),
    ],
)
def test_the_kernels_addresses_are_read(hexadecimal: str, address: str) -> None:
    assert _address(hexadecimal) == address
