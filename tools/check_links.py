"""Says which links in the project's pages lead nowhere: files that are missing, headings that do not exist."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).parents[1]
FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)(?: \"[^\"]*\")?\)|(?:src|href)=\"([^\"]+)\"")
HEADING = re.compile(r"^#{1,6} +(.+?)\s*$", re.MULTILINE)


def main() -> None:
    broken = list(problems())
    sys.exit("".join(f"{problem}\n" for problem in broken) if broken else 0)


def problems() -> Iterator[str]:
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    for name in subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines():
        path = ROOT / name
        if not path.exists() or name.startswith("src/"):  # runbooks are shown by the product, not on a page
            continue
        text = path.read_text(encoding="utf-8")
        for match in LINK.finditer(FENCED.sub(lambda block: "\n" * block[0].count("\n"), text)):
            link = match[1] or match[2]
            line = FENCED.sub(lambda block: "\n" * block[0].count("\n"), text)[: match.start()].count("\n") + 1
            if why := wrong(path, link):
                yield f"{name}:{line}: {link}: {why}"


def wrong(page: Path, link: str) -> str:
    """Why a link leads nowhere; empty where it leads somewhere, or out of the project."""
    if re.match(r"[a-z]+:", link):
        return ""
    target, _, anchor = unquote(link).partition("#")
    path = (page.parent / target).resolve() if target else page
    if not path.is_relative_to(ROOT) or not path.exists():
        return "no such file"
    if anchor and path.suffix == ".md" and anchor not in anchors(path.read_text(encoding="utf-8")):
        return "no such heading"
    return ""


def anchors(text: str) -> set[str]:
    """The names that a page's headings get: lower case, words joined by hyphens."""
    plain = (
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in HEADING.findall(FENCED.sub("", text))
    )
    return set(plain)


if __name__ == "__main__":
    main()
