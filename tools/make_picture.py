"""Takes the README's picture: the live view of a watch whose practice engine was broken and came back. Needs tmux."""

import re
import subprocess
import sys
import tempfile
import time
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parents[1]
PARAMEDIC = Path(sys.executable).with_name("paramedic")
COLUMNS, ROWS = 104, 30
PORT = 8210  # as the picture shows it; it must be free
SERVED, BROKEN = 30.0, 15.0  # seconds to let pass, so that there is something to see


def tmux(*arguments: str) -> str:
    done = subprocess.run(["tmux", "-L", "picture", *arguments], capture_output=True, text=True, check=True)
    return done.stdout


def take(language: str) -> str:
    """The screen with its colours, as the terminal's own codes."""
    with tempfile.TemporaryDirectory() as data:
        engine = f"{PARAMEDIC} practice serve --port {PORT} --data-dir {data}"
        options = f"--no-discovery --name practice --target http://127.0.0.1:{PORT} --lang {language} --data-dir {data}"
        watch = f"{PARAMEDIC} watch {options} -- {engine}"
        tmux("new-session", "-d", "-s", "view", "-x", str(COLUMNS), "-y", str(ROWS), f"env LC_ALL=C.UTF-8 {watch}")
        try:
            time.sleep(SERVED)
            breaking = [str(PARAMEDIC), "practice", "break", "engine-core-died", "--data-dir", data]
            subprocess.run(breaking, check=True, capture_output=True)
            time.sleep(BROKEN)
            return tmux("capture-pane", "-e", "-p", "-t", "view")
        finally:
            tmux("send-keys", "-t", "view", "C-c")
            time.sleep(5)
            subprocess.run(["tmux", "-L", "picture", "kill-server"], check=False, capture_output=True)


def draw(screen: str) -> str:
    """An SVG of it, without the fonts that rich would load from elsewhere."""
    console = Console(record=True, width=COLUMNS, file=StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text.from_ansi(screen.rstrip()))
    drawn = console.export_svg(title="paramedic watch", unique_id="paramedic")
    return re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL)


def main() -> None:
    for language, name in (("en", "watch.svg"), ("zh", "watch.zh.svg")):
        path = ROOT / "docs" / name
        path.write_text(draw(take(language)), encoding="utf-8")
        print(f"docs/{name}: written")


if __name__ == "__main__":
    main()
