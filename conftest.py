"""Settings for every test of the workspace."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run asynchronous tests on asyncio only: it is the event loop the program runs on."""
    return "asyncio"
