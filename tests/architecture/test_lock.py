"""requirements.lock is what pyproject.toml asks for, with hashes, and names no host."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")


def canonical(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[\s\[<>=!~;]", requirement, maxsplit=1)[0]).lower()


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    locked = {canonical(line) for line in re.findall(r"^[A-Za-z0-9].*==.*", LOCK, re.MULTILINE)}
    assert {canonical(requirement) for requirement in wanted} - locked == set(), "run `make lock`"


def test_it_has_hashes_and_no_addresses() -> None:
    for package in re.split(r"\n(?=\S)", LOCK.strip()):
        assert "--hash=sha256:" in package, package
    assert "://" not in LOCK
