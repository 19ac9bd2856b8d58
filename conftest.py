"""Settings for every test of the workspace."""

from __future__ import annotations

import os

import pytest

for _name in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL"):  # A test that runs make wants a plain one.
    os.environ.pop(_name, None)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run asynchronous tests on asyncio only: it is the event loop the program runs on."""
    return "asyncio"
