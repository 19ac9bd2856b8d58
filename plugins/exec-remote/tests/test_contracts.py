"""A machine behind our server keeps the contracts of the environment ports."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from codex_exec_remote.environment import RemoteEnvironment
from codex_exec_remote.files import RemoteFileSystem
from codex_exec_remote.http import RemoteHttp
from codex_testkit.suites.exec import ExecBackendContract
from codex_testkit.suites.files import FileSystemContract
from codex_testkit.suites.http import HttpContract


class TestExec(ExecBackendContract):
    closes_pipes = False

    @pytest.fixture
    async def environment(self, environment: RemoteEnvironment) -> RemoteEnvironment:
        return environment


class TestFiles(FileSystemContract):
    @pytest.fixture
    async def files(self, environment: RemoteEnvironment) -> RemoteFileSystem:
        return environment.files

    @pytest.fixture
    def folder(self, tmp_path: Path) -> str:
        return os.path.realpath(tmp_path)

    async def link(self, files: RemoteFileSystem, path: str, target: str) -> None:
        os.symlink(target, path)


class TestHttp(HttpContract):
    @pytest.fixture
    async def http(self, environment: RemoteEnvironment) -> RemoteHttp:
        return environment.http
