"""Something else answers where an engine is expected: one watch looks at all of them, and says of each what it is."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from paramedic.cli.screens.events import line
from paramedic.journal.codec import from_document
from paramedic.model.text import Language
from tests.e2e.bad import SECRET, check_words, files_of
from tests.e2e.strangers import HTTP, strangers
from tests.integration.practice_engine import wait_until
from tests.integration.watching import Entry, ask, watching

NAMES = (*HTTP, "https-asked-of-http", "http-asked-of-https", "ssh", "nobody", "no-such-host")
TROUBLED = "metrics-damaged"  # the one of which figures are left
MEMORY = 500_000_000  # bytes; the endless metrics alone are a gigabyte


@dataclass(frozen=True)
class Seen:
    """What one watch said of all of them."""

    entries: list[Entry]
    board: dict[str, Any]
    words: str
    memory: int
    code: int

    def told(self, name: str, lang: Language) -> list[str]:
        """The lines that a person first reads of this one, as they are on the screen."""
        states = [entry for entry in self.entries if entry["type"] == "StateChanged" and entry["target"] == name]
        troubles = [entry for entry in self.entries if entry["type"] == "WorkFailed" and entry["work"].endswith(name)]
        return [line(from_document(entry), lang) or "" for entry in (*states[:1], *troubles[:1])]


def look_at_all(folder: Path) -> Seen:
    """One watch on all of them, until each has been told of."""
    (folder / "key").write_text(f"{SECRET}\n")
    with strangers() as urls, watching(folder) as start:
        targets = "".join(f"  - {{name: {name}, url: '{url}', api_key: {{file: key}}}}\n" for name, url in urls.items())
        (folder / "paramedic.yaml").write_text(f"server: {{port: 0}}\ninterval: 1s\ntargets:\n{targets}")
        watch = start("--no-practice")
        wait_until(lambda: set(NAMES) <= {e["target"] for e in watch.seen("StateChanged")}, "each has its state", 60)
        wait_until(lambda: bool(watch.seen("WorkFailed")), "what could not be read is told", 60)
        board = ask(watch.data, "status", ok=(1,))
        memory = psutil.Process(watch.process.pid).memory_info().rss
        code = watch.end()
        words = watch.out.read_text("utf-8") + watch.err.read_text("utf-8")
        return Seen(watch.entries, board, words, memory, code)


def test_each_is_named_for_what_it_is_and_nothing_is_made_up(tmp_path: Path) -> None:
    """One test, for it is one watch: the words, the figures, the states, the secret, the memory."""
    seen = look_at_all(tmp_path)
    for name in NAMES:
        check_words(f"address-{name}", "\n".join([*seen.told(name, "en"), *seen.told(name, "zh")]), seen.code, tmp_path)
    assert files_of("address") == {f"address-{name}" for name in NAMES}

    rows = {row["name"]: row for row in seen.board["targets"]}
    assert set(rows) == set(NAMES)
    assert (rows[TROUBLED]["running"], rows[TROUBLED]["waiting"], rows[TROUBLED]["kv_cache"]) == (2.0, 1.0, None)
    others = [row for name, row in rows.items() if name != TROUBLED]
    assert {row[figure] for row in others for figure in ("running", "waiting", "output_tokens_per_s")} == {None}
    serving = {name for name, row in rows.items() if row["state"] == "serving"}
    assert serving == {name for name in NAMES if name.startswith("metrics-")}
    assert SECRET not in seen.words
    assert seen.memory < MEMORY
