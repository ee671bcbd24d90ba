"""A console on a free port, and the header that opens it."""

from collections.abc import AsyncIterator

import pytest

from tests.fakes.console import TOKEN, Console, pretend_console


@pytest.fixture
async def console() -> AsyncIterator[Console]:
    async with pretend_console() as running:
        yield running


@pytest.fixture
def auth() -> dict[str, str]:
    return {"Authorization": f"Bearer {TOKEN}"}
