"""The local environment passes the contract suites."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from codex_exec_local.environment import LocalEnvironment
from codex_exec_local.files import LocalFileSystem
from codex_exec_local.http import LocalHttp
from codex_testkit.suites.exec import ExecBackendContract
from codex_testkit.suites.files import FileSystemContract
from codex_testkit.suites.http import HttpContract


class TestExec(ExecBackendContract):
    @pytest.fixture
    async def environment(self) -> AsyncIterator[LocalEnvironment]:
        environment = LocalEnvironment(os.environ)
        yield environment
        await environment.aclose()


class TestFiles(FileSystemContract):
    watches = True

    @pytest.fixture
    async def files(self) -> AsyncIterator[LocalFileSystem]:
        files = LocalFileSystem()
        yield files
        files.close()

    @pytest.fixture
    def folder(self, tmp_path: Path) -> str:
        return os.path.realpath(tmp_path)

    async def link(self, files: LocalFileSystem, path: str, target: str) -> None:
        os.symlink(target, path)


class TestHttp(HttpContract):
    @pytest.fixture
    async def http(self) -> AsyncIterator[LocalHttp]:
        environment = LocalEnvironment(os.environ)
        yield environment.http
        await environment.aclose()
