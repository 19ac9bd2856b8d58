import os

import pytest

from codex_exec_plain import plugin
from codex_exec_plain.plugin import PlainEnvironment
from codex_testkit.suites.exec import ExecBackendContract
from codex_testkit.suites.files import FileSystemContract
from codex_testkit.suites.http import HttpContract
from codex_tool_exec import plugin as tool_exec


@pytest.fixture
async def environment(tmp_path):
    environment = PlainEnvironment(str(tmp_path))
    yield environment
    await environment.aclose()


class TestProcesses(ExecBackendContract):
    @pytest.fixture
    async def environment(self, environment):
        return environment


class TestFiles(FileSystemContract):
    @pytest.fixture
    async def files(self, environment):
        return environment.files

    @pytest.fixture
    def folder(self, tmp_path):
        folder = tmp_path / "files"  # empty: a host of the test has its home and project in tmp_path
        folder.mkdir()
        return os.path.realpath(folder)

    async def link(self, files, path, target):
        os.symlink(target, path)


class TestHttp(HttpContract):
    @pytest.fixture
    async def http(self, environment):
        return environment.http


@pytest.mark.usefixtures("this_machine")
async def test_a_thread_works_in_it(host, model, tmp_path):
    agent = model([{"sh": "echo made > there; cat there", "call_id": "made"}], "done")

    await host(plugins=[plugin, tool_exec], model=agent, config={"environment": "plain"}).turn("go")

    assert "made" in agent.output("made")
    assert (tmp_path / "project/there").read_text() == "made\n"
