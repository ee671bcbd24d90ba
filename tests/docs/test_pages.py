"""Everything that exists has its place in the pages, and what the pages say is so."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from paramedic.cli.main import COMMANDS
from paramedic.journal import events

ROOT = Path(__file__).parents[2]
KNOWLEDGE = ROOT / "src" / "paramedic" / "knowledge"
REFERENCE = ROOT / "docs" / "reference"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
EXAMPLE = re.compile(r"^```console\n(.*?)^```", re.DOTALL | re.MULTILINE)


def run_tool(name: str, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / name, *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def headings(page: str) -> set[str]:
    return set(re.findall(r"^#+ (.+)$", (REFERENCE / page).read_text(encoding="utf-8"), re.MULTILINE))


def test_generated_pages_are_up_to_date() -> None:
    run_tool("make_docs.py", "--check")


def test_links_lead_somewhere() -> None:
    run_tool("check_links.py")


def test_every_command_is_documented() -> None:
    assert {f"paramedic {name}" for name in COMMANDS} <= headings("cli.md")


def test_every_event_is_documented() -> None:
    known = {name for name, kind in vars(events).items() if isinstance(kind, type) and issubclass(kind, events.Event)}
    assert known - {"Event"} <= headings("events.md")
    assert len(known) > 10


def test_every_fault_is_documented() -> None:
    found = {path.stem for path in (KNOWLEDGE / "faults").rglob("*.yaml")}
    assert found
    pages = [f"faults/{page.name}" for page in (REFERENCE / "faults").glob("*.md")]
    assert found <= {heading for page in pages for heading in headings(page)}
    listed = (REFERENCE / "faults.md").read_text(encoding="utf-8")
    assert all(f"[{fault}](" in listed for fault in found)


def test_every_rule_is_documented_and_has_its_runbook() -> None:
    page = (REFERENCE / "rules.md").read_text(encoding="utf-8")
    found = [path for path in KNOWLEDGE.glob("rules/*.yml") if yaml.safe_load(path.read_text(encoding="utf-8"))]
    assert found
    for path in found:
        assert path.stem in page, f"{path.stem} is missing in docs/reference/rules.md"
        assert (KNOWLEDGE / "runbooks" / f"{path.stem}.md").exists(), f"{path.stem} has no runbook"


def examples() -> list[tuple[str, str]]:
    found = [(page, block) for page in PAGES for block in EXAMPLE.findall(page.read_text(encoding="utf-8"))]
    return [(f"{page.relative_to(ROOT)}: {block.splitlines()[0]}", block) for page, block in found]


@pytest.mark.parametrize("block", [pytest.param(block, id=name) for name, block in examples()])
def test_console_example_answers_as_shown(block: str, tmp_path: Path) -> None:
    """A ```console block is run from the project's folder; `...` stands for any text. What cannot be run is ```sh."""
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PARAMEDIC_DATA": str(tmp_path),
        "LC_ALL": "C.UTF-8",
        "COLUMNS": "100",
    }
    for command, shown in re.findall(r"^\$ (.+)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE):
        done = subprocess.run(
            ["bash", "-c", command], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        wanted = re.escape(shown.strip()).replace(re.escape("..."), ".*")
        assert re.fullmatch(wanted, (done.stdout + done.stderr).strip(), re.DOTALL), done.stdout + done.stderr
