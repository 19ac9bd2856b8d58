"""The machines that the suite of this folder works on: this one and others; their files are looked at through them."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, NamedTuple

import pytest

from codex_exec_local import plugin as exec_local
from codex_exec_local.environment import LocalEnvironment
from codex_exec_remote.environment import RemoteEnvironment
from codex_exec_remote.websocket_link import Target
from codex_hookspecs.errors import FileSystemError
from codex_hookspecs.ids import uuid4
from codex_hookspecs.ports.environment import Environment
from codex_instructions import plugin as instructions
from codex_testkit import ScriptedModel
from codex_testkit.remote_machine import URL_VARIABLE, VARIABLE, own_folder, remote_machine, remote_url
from codex_tool_apply_patch import plugin as tool_apply_patch
from codex_tool_exec import plugin as tool_exec
from codex_tool_view_image import plugin as tool_view_image

PLUGINS = (exec_local, tool_exec, tool_apply_patch, tool_view_image, instructions)
HERE = "here"
FREE = {"sandbox": "danger-full-access", "approval_policy": "never"}
_LEAVE = "from codex_testkit.servers.network import leave_network; leave_network()"


def ways() -> list[str]:
    """Return the machines there can be: all that are possible, or the one that was asked for."""
    wanted = os.environ.get(VARIABLE, "").strip()
    if wanted:
        return [wanted]
    found = [HERE, "1", "0118"]
    if sys.platform == "linux":
        found += ["bwrap"] if shutil.which("bwrap") else []
        tried = subprocess.run([sys.executable, "-c", _LEAVE], capture_output=True, timeout=60, check=False)
        found += ["netns"] if tried.returncode == 0 else []
    return found


class Machine(NamedTuple):
    """A machine.

    :param url: address of its server, ``None`` for this one.
    """

    way: str
    url: str | None

    @property
    def apart(self) -> bool:
        """Whether it has files that this machine has not."""
        return own_folder(self.way) is not None


@pytest.fixture(scope="session", params=ways())
def machine(request: pytest.FixtureRequest) -> Iterator[Machine]:
    if request.param == HERE:
        yield Machine(HERE, None)
    elif (url := remote_url()) is not None:
        yield Machine(request.param, url)
    else:
        with remote_machine(request.param) as url:
            yield Machine(request.param, url)


@pytest.fixture(autouse=True)
def _turned(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have hosts work on the machine."""
    for name, value in ((VARIABLE, machine.way), (URL_VARIABLE, machine.url)):
        if machine.url is None or value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)


class Place:
    """A folder of the machine.

    :ivar path: its absolute path.
    :ivar environment: the machine, by a connection of its own.
    """

    def __init__(self, environment: Environment, path: str) -> None:
        self.environment = environment
        self.path = path

    async def write(self, files: dict[str, str | bytes]) -> None:
        """Write files by path relative to the folder."""
        for name, content in files.items():
            path = f"{self.path}/{name}"
            await self.environment.files.create_directory(path.rpartition("/")[0])
            await self.environment.files.write_file(path, content.encode() if isinstance(content, str) else content)

    async def read(self, name: str) -> str | None:
        """Return what is in a file, ``None`` when there is none."""
        try:
            return (await self.environment.files.read_file(f"{self.path}/{name}")).decode()
        except FileSystemError:
            return None

    async def run(self, script: str) -> str:
        """Run a script in the folder and return what it says."""
        from codex_hookspecs.types.environment import ExecParams
        from codex_testkit.suites.exec import output

        process = await self.environment.exec.start(
            ExecParams(
                process_id=uuid4(),
                argv=("/bin/sh", "-c", script),
                cwd=self.path,
                env={"PATH": "/usr/local/bin:/usr/bin:/bin"},
            )
        )
        return output([event async for event in process.events()]).decode()


@pytest.fixture
async def place(machine: Machine, tmp_path: Any) -> AsyncIterator[Place]:
    environment: Any = LocalEnvironment(os.environ)
    if machine.url is not None:
        environment = RemoteEnvironment("remote", Target(machine.url), {}, logging.getLogger("codex.exec-remote"))
        await environment.open()
    folder = own_folder(machine.way)
    path = f"{folder}/{uuid4()}/project" if folder else os.path.realpath(tmp_path / "place")
    await environment.files.create_directory(path)
    yield Place(environment, path)
    await environment.files.remove(path)
    await environment.aclose()


@pytest.fixture
def work(host: Any, place: Place) -> Callable[..., Any]:
    """Return a factory of hosts that work in the folder; what is not said holds for all of them."""

    def opened(model: ScriptedModel, *plugins: object, params: dict[str, Any] | None = None, **others: Any) -> Any:
        given = {"environ": {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}, **others}
        return host(
            plugins=[*PLUGINS, *plugins], model=model, params={"cwd": place.path, **FREE, **(params or {})}, **given
        )

    return opened
