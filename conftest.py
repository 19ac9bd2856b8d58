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


@pytest.fixture(scope="session", autouse=True)
def _suite_on_the_other_machine(other_machine: str | None) -> None:
    """Have the machine that ``CODEX_TEST_REMOTE_ENV`` asks for up for tests that have no host of the kit, too."""
