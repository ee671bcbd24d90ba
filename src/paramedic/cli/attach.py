"""A view of the watch that runs already: it only reads, and leaving it stops nothing."""

import signal
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from paramedic.cli.screens.live import JsonShow, Show, choose
from paramedic.journal.plain import from_plain
from paramedic.model.text import Language, Text

if TYPE_CHECKING:
    from paramedic.app.folder import DataFolder
    from paramedic.console.client import Daemon as Client

DRAW_EVERY = 1.0
_ATTACHED = Text(
    "Attached to the running watch (pid {}), reading only: leaving this view stops nothing.",
    "已接入正在运行的 watch（pid {}），只读：退出此界面不会停止任何东西。",
)


def attach(folder: "DataFolder", *, as_json: bool, lang: Language, seconds: float | None) -> int:
    """Until Ctrl-C, SIGTERM or the end of its time; leaving the view stops nothing."""
    left = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: left.set())
    daemon = _find_daemon(folder, left)
    show = choose(as_json=as_json, lang=lang)
    show.note(_ATTACHED.in_language(lang).format(daemon.pid))
    until = None if seconds is None else time.monotonic() + seconds
    try:
        _follow(daemon.get, show, until, left)
    finally:
        show.close()
    return 0


def _find_daemon(folder: "DataFolder", left: threading.Event) -> "Client":
    """The daemon that holds the folder; one that has only just begun is waited for."""
    from paramedic.console.client import Daemon as Client

    for _ in range(50):
        if (daemon := Client.find(folder.path)) or not folder.is_held() or left.wait(0.1):
            break
    return daemon or Client.need(folder.path)


def _follow(get: Callable[[str], object], show: Show, until: float | None, left: threading.Event) -> None:
    """Poll once a second: the figures of the view do not change faster."""
    from paramedic.journal.codec import from_document
    from paramedic.pipeline.board import Board

    board = get("/api/board")
    seen = int(board["last_seq"]) if isinstance(board, dict) else 0
    while until is None or time.monotonic() < until:
        events = get(f"/api/events?after={seen}")
        for fields in events if isinstance(events, list) else ():
            seen = fields["seq"]
            if isinstance(show, JsonShow):
                show.document(fields)
            else:
                show.entry(from_document(fields))
        show.board(lambda: from_plain(Board, get("/api/board")))
        if left.wait(DRAW_EVERY):
            return
