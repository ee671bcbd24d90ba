"""The real tier: one real engine at a time, everything of it removed afterwards."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.real.engine import MODEL, VENV, Scratch
from tests.real.stalls import Stalls


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder talks to a real engine, and may take long."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.real)
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(900))


@pytest.fixture
async def scratch() -> AsyncIterator[Scratch]:
    for path in (VENV / "bin" / "vllm", MODEL):
        assert path.exists(), f"{path} is missing: run this through `make test-real`"
    own = Scratch()
    yield own
    await own.close()


@pytest.fixture
def stalls() -> Iterator[Stalls]:
    watcher = Stalls()
    yield watcher
    watcher.stop()
