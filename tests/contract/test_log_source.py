"""Every log: lines come once, whole, rightly numbered; the tail is there without them being read."""

from abc import ABC, abstractmethod
from pathlib import Path

import pytest

from paramedic.adapters.logs.file_log import FileLog
from paramedic.ports import LogSource
from tests.fakes import FakeLog


class World(ABC):
    source: LogSource

    @abstractmethod
    def write(self, *lines: str) -> None: ...

    @abstractmethod
    def begin_anew(self) -> None: ...


class FileWorld(World):
    def __init__(self, path: Path) -> None:
        self.path = path
        self.source = FileLog(path)

    def write(self, *lines: str) -> None:
        with self.path.open("a") as out:
            out.write("".join(line + "\n" for line in lines))

    def begin_anew(self) -> None:
        self.path.unlink()


class FakeWorld(World):
    def __init__(self) -> None:
        self.source = self.log = FakeLog()

    def write(self, *lines: str) -> None:
        self.log.write(*lines)

    def begin_anew(self) -> None:
        self.log.new_file("another.log")


@pytest.fixture(params=["file", "fake"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    return FileWorld(tmp_path / "engine.log") if request.param == "file" else FakeWorld()


def test_nothing_written_is_nothing_read(world: World) -> None:
    assert world.source.new_lines().lines == ()
    assert world.source.tail(100).lines == ()


def test_lines_come_once_and_in_order(world: World) -> None:
    world.write("one", "two")
    chunk = world.source.new_lines()
    assert (chunk.first_line, chunk.lines) == (1, ("one", "two"))
    assert world.source.new_lines().lines == ()
    world.write("three")
    chunk = world.source.new_lines()
    assert (chunk.first_line, chunk.lines) == (3, ("three",))


def test_a_tail_is_bounded_numbered_and_takes_nothing_away(world: World) -> None:
    world.write("one", "two", "three")
    chunk = world.source.tail(10)
    assert (chunk.first_line, chunk.lines) == (2, ("two", "three"))
    assert world.source.tail(10_000).lines == ("one", "two", "three")
    assert world.source.new_lines().lines == ("one", "two", "three")


def test_a_new_file_is_numbered_from_one(world: World) -> None:
    world.write("old")
    world.source.new_lines()
    world.begin_anew()
    world.write("new", "newer")
    chunk = world.source.new_lines()
    assert (chunk.first_line, chunk.lines) == (1, ("new", "newer"))
