"""In CI a skipped test is a failed one: tried on a pytest of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[1] / "conftest.py"
SKIPS = {
    "call": "import pytest\ndef test_it():\n    pytest.skip('no such program')\n",
    "mark": "import pytest\n@pytest.mark.skipif(True, reason='no such program')\ndef test_it(): ...\n",
    "module": "import pytest\npytest.skip('no such program', allow_module_level=True)\n",
}


def run(folder: Path, source: str, ci: str) -> subprocess.CompletedProcess[str]:
    (folder / "conftest.py").write_text(CONFTEST.read_text())
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_it.py").write_text(source)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)],
        env={**os.environ, "CI": ci, "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("kind", SKIPS)
def test_a_skip_fails_in_ci_and_says_why(tmp_path: Path, kind: str) -> None:
    done = run(tmp_path, SKIPS[kind], ci="true")
    assert done.returncode not in (0, 5)
    assert "left out, which CI does not allow: no such program" in done.stdout


def test_what_the_machine_forbids_is_a_skip_in_ci_too(tmp_path: Path) -> None:
    done = run(tmp_path, SKIPS["call"].replace("no such program", "not permitted here: mount"), ci="true")
    assert "1 skipped" in done.stdout


def test_elsewhere_a_skip_is_a_skip(tmp_path: Path) -> None:
    done = run(tmp_path, SKIPS["call"], ci="")
    assert done.returncode == 0
    assert "1 skipped" in done.stdout


def test_an_expected_failure_is_none_of_that(tmp_path: Path) -> None:
    done = run(tmp_path, "import pytest\n@pytest.mark.xfail\ndef test_it():\n    assert False\n", ci="true")
    assert done.returncode == 0
    assert "1 xfailed" in done.stdout
