"""What people see, whole: each screen is a text file. PARAMEDIC_WRITE_SCREENS=1 writes them anew; then read them."""

import io
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console, RenderableType

from paramedic.cli.screens import board as board_screen
from paramedic.cli.screens import events as events_screen
from paramedic.cli.screens import incidents as incidents_screen
from paramedic.cli.screens import story as story_screen
from paramedic.journal.fold import fold
from paramedic.journal.plain import from_plain, to_plain
from paramedic.journal.timeline import story
from paramedic.journal.views import Hold
from paramedic.model.target import EngineState, Mode
from paramedic.model.text import NO_WORDS, Language, Text, as_written
from paramedic.pipeline.board import ActionRow, AlertRow, Board, TargetRow
from tests.fakes.night import (
    ASKED,
    BEGIN,
    DEAD,
    EMBED,
    ENDED,
    INCIDENT,
    LIVES,
    OTHER_INCIDENT,
    QWEN,
    RESTART,
    SECOND,
    waits_for_a_person,
)

SCREENS = Path(__file__).parent / "screens"
NOW = BEGIN + 27 * SECOND
LONG = "Qwen3-VL-235B-A22B-Instruct@10.0.0.12:8200"

BUSY = Board(
    at=NOW,
    version="0.1.0",
    daemon_pid=4242,
    targets=(
        TargetRow(
            name=LONG,
            url="http://10.0.0.12:8200",
            model="Qwen3-VL-235B-A22B-Instruct",
            state=EngineState.SERVING,
            since=NOW - 8_000 * SECOND,
            reason=NO_WORDS,
            mode=Mode.OBSERVE,
            started_by_us=False,
            run=1,
            pid=99,
            stage="",
            output_tokens_per_s=1842.3,
            prompt_tokens_per_s=20_000.0,
            running=24.0,
            waiting=0.0,
            kv_cache=0.713,
            ttft_p50=0.312,
            ttft_p95=0.924,
            itl_p50=0.0181,
            itl_p95=0.0354,
            figures_age=2.0,
        ),
        TargetRow(
            QWEN.name,
            QWEN.url,
            QWEN.model,
            EngineState.DEAD,
            NOW - 15 * SECOND,
            ENDED,
            Mode.ACT,
            True,
            1,
            4700,
            "",
            figures_age=18.0,
        ),
        TargetRow(
            EMBED.name,
            EMBED.url,
            EMBED.model,
            EngineState.STARTING,
            NOW - 95 * SECOND,
            LIVES,
            Mode.ASK,
            False,
            3,
            88,
            "capturing",
        ),
    ),
    alerts=(
        AlertRow(
            DEAD,
            "engine-dead",
            QWEN.name,
            "P0",
            "severe",
            Text(
                "The engine of qwen3-8b@127.0.0.1:8000 is dead: every request fails.",
                "qwen3-8b@127.0.0.1:8000 的引擎已死，所有请求都会失败。",
            ),
            NOW - 15 * SECOND,
            NOW + 285 * SECOND,
            INCIDENT,
            Text("EngineCore was killed (SIGKILL)", "EngineCore 被杀（SIGKILL）"),
        ),
        AlertRow(
            "requests-queueing-0b1c2d3e",
            "requests-queueing",
            EMBED.name,
            "P1",
            "performance",
            Text("Requests queue.", "有请求排队。"),
            NOW - 1_000 * SECOND,
            NOW - 100 * SECOND,
            "",
            None,
        ),
    ),
    actions=(
        ActionRow(
            RESTART,
            "restart",
            QWEN.name,
            "running",
            "stopped",
            Text("the engine died; a restart cures that", "引擎已死，重启可恢复"),
            NOW - 9 * SECOND,
            NO_WORDS,
        ),
        ActionRow(
            ASKED,
            "restart",
            EMBED.name,
            "waiting-for-approval",
            "",
            Text("no token has moved for 60 s and the canary failed", "60 秒没有新 token，探测请求也失败"),
            NOW - 61 * SECOND,
            NO_WORDS,
        ),
    ),
    needs_human=(
        (OTHER_INCIDENT, Text("The restart budget (3 in 15 min) is spent.", "重启预算（15 分钟 3 次）已用完。")),
    ),
    failures=tuple((f"scrape of server {n}", NOW - n * SECOND, "TimeoutError: no answer") for n in range(1, 6)),
    late=12.0,
)
EMPTY = Board(NOW, "0.1.0", 4242, (), (), (), (), ())
NOBODY = Board(NOW, "0.1.0", None, BUSY.targets[:1], (), (), (), ())
HELD = Board(
    NOW,
    "0.1.0",
    4242,
    (
        replace(
            BUSY.targets[1],
            hold=Hold("li.wei", NOW - 754 * SECOND, NOW + 6446 * SECOND, as_written("profiling the dead engine"), 9),
        ),
        replace(BUSY.targets[2], hold=Hold("王伟", NOW - 60 * SECOND, 0, NO_WORDS, 10)),
    ),
    (),
    (),
    (),
    (),
)
CALM = Board(NOW, "0.1.0", 4242, BUSY.targets[:1], (), (), (), ())


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The reader's zone, so that the files are the same everywhere."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def on_terminal(screen: RenderableType, width: int) -> str:
    file = io.StringIO()
    Console(file=file, width=width, no_color=True, force_terminal=False).print(screen)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines())


def board(shown: Board, lang: Language, width: int) -> str:
    return on_terminal(board_screen.render(shown, lang, width), width)


def explained(name: str, lang: Language) -> story_screen.Story:
    entries = waits_for_a_person()
    return story_screen.Story.of(name, story(entries, name), fold(entries), BEGIN + 1_100 * SECOND)


def explain(name: str, lang: Language, width: int) -> str:
    return on_terminal(story_screen.render(explained(name, lang), lang, width), width)


def listed(lang: Language) -> str:
    incidents = list(reversed(fold(waits_for_a_person()).incidents.values()))
    return incidents_screen.plain(incidents, BEGIN + 1_100 * SECOND, lang)


def watched(lang: Language) -> str:
    told = (events_screen.line(entry, lang) for entry in waits_for_a_person())
    return "\n".join(line for line in told if line is not None)


ALL: dict[str, Callable[[], str]] = {
    "board-80-en": lambda: board(BUSY, "en", 80),
    "board-80-zh": lambda: board(BUSY, "zh", 80),
    "board-100-en": lambda: board(BUSY, "en", 100),
    "board-130-zh": lambda: board(BUSY, "zh", 130),
    "board-pipe-en": lambda: board_screen.plain(BUSY, "en"),
    "board-pipe-zh": lambda: board_screen.plain(BUSY, "zh"),
    "board-empty-en": lambda: board(EMPTY, "en", 80),
    "board-empty-zh": lambda: board(EMPTY, "zh", 80),
    "board-nobody-en": lambda: board(NOBODY, "en", 80),
    "board-nobody-zh": lambda: board(NOBODY, "zh", 80),
    "board-80-held-en": lambda: board(HELD, "en", 80),
    "board-80-held-zh": lambda: board(HELD, "zh", 80),
    "board-calm-en": lambda: board(CALM, "en", 130),
    "explain-100-en": lambda: explain(INCIDENT, "en", 100),
    "explain-80-zh": lambda: explain(INCIDENT, "zh", 80),
    "explain-pipe-en": lambda: story_screen.plain(explained(INCIDENT, "en"), "en"),
    "explain-open-en": lambda: explain(OTHER_INCIDENT, "en", 80),
    "incidents-en": lambda: listed("en"),
    "incidents-zh": lambda: listed("zh"),
    "incidents-none-en": lambda: incidents_screen.plain([], NOW, "en"),
    "watch-en": lambda: watched("en"),
    "watch-zh": lambda: watched("zh"),
}


@pytest.mark.parametrize("name", ALL)
def test_screen(name: str) -> None:
    shown = ALL[name]() + "\n"
    file = SCREENS / f"{name}.txt"
    if os.environ.get("PARAMEDIC_WRITE_SCREENS"):
        file.write_text(shown, encoding="utf-8")
    assert shown == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("shown", [BUSY, HELD, EMPTY])
def test_a_board_comes_whole_through_the_api(shown: Board) -> None:
    assert from_plain(Board, json.loads(json.dumps(to_plain(shown)))) == shown


def test_no_file_without_a_screen() -> None:
    assert {path.stem for path in SCREENS.iterdir()} == set(ALL)


@pytest.mark.parametrize("name", [name for name in ALL if "-80-" in name or "-100-" in name])
def test_a_screen_stays_within_its_width(name: str) -> None:
    width = int(name.split("-")[1])
    assert all(cell_len(line) <= width for line in ALL[name]().splitlines())


@pytest.mark.parametrize("name", [name for name in ALL if "pipe" in name])
def test_a_pipe_gets_no_boxes_no_colours_and_nothing_cut(name: str) -> None:
    shown = ALL[name]()
    assert not any(0x2500 <= ord(character) < 0x2580 or character in "\x1b…" for character in shown)


def test_one_board_is_drawn_in_a_few_milliseconds() -> None:
    """Drawn once a second within 3 % of a core; the limit is wide, for a loaded machine."""
    console = Console(file=io.StringIO(), width=100, force_terminal=True)
    board_screen.render(BUSY, "zh", 100)
    begin = time.process_time()
    for _ in range(20):
        console.print(board_screen.render(BUSY, "zh", 100))
    assert (time.process_time() - begin) / 20 < 0.03
