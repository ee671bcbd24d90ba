"""What every test with real processes may ask for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.watching import Start, watching


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts watches on one data folder."""
    with watching(tmp_path) as start:
        yield start
