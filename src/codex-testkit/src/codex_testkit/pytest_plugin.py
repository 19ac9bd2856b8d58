"""Fixtures for tests of plugins.

``host``, ``model`` and ``project`` are factories or objects that clean up after the test. A test host has exactly the
given plugins; installed ones are not discovered. With ``CODEX_TEST_REMOTE_ENV`` hosts with the local environment use a
remote one instead, see :mod:`codex_testkit.remote_machine`.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from codex_hookspecs.surface import AppClient, SurfaceHost
    from codex_testkit.app_client import RpcClient
    from codex_testkit.declared_types import DeclaredTypes
    from codex_testkit.memory.model import ScriptedModel
    from codex_testkit.outcome import TurnOutcome
    from codex_testkit.project import Project

HostFactory = Callable[..., "KitHost"]


class KitHost:
    """A host that is started on first use and closed after the test.

    A failure of a plugin fails the test.

    :param failures: parts of the messages of expected failures; ``None`` allows any.
    """

    def __init__(
        self, stack: AsyncExitStack, arguments: Mapping[str, Any], *, failures: Sequence[str] | None = ()
    ) -> None:
        self._stack = stack
        self._arguments = arguments
        self._failures = failures
        self._open: Any = None

    async def opened(self) -> Any:
        """Return the started host."""
        if self._open is None:
            self._open = await self._stack.enter_async_context(_open_host()(**self._arguments))
        return self._open

    async def turn(self, prompt: str) -> TurnOutcome:
        """Run one turn of the host's thread to completion."""
        outcome: TurnOutcome = await (await self.opened()).turn(prompt)
        self.check()
        types = await self._types()
        for notification in outcome.notifications:
            types.notification(notification)
        return outcome

    async def _types(self) -> DeclaredTypes:
        from codex_testkit.declared_types import DeclaredTypes

        return DeclaredTypes((await self.program()).rpc_methods())

    async def program(self) -> SurfaceHost:
        """Return the running program, which hooks get as parameter ``host``."""
        program: SurfaceHost = (await self.opened()).application
        return program

    async def command(self, name: str, *arguments: str) -> int:
        """Run a plugin's sub-command and return its exit status; its errors are raised.

        :raises LookupError: when no plugin offers it.
        """
        status: int = await (await self.opened()).command(name, arguments)
        self.check()
        return status

    async def connect(self, *, experimental: bool = True) -> AppClient:
        """Return a client of the app-server, closed after the test; requires a plugin with the hook ``app_server``.

        :param experimental: whether it enables the experimental API.
        """
        server = (await self.program()).app_server()
        client = await server.connect(
            client_name="test-kit", client_version="0", session_source="exec", experimental=experimental
        )
        self._stack.push_async_callback(client.aclose)
        return client

    @asynccontextmanager
    async def client(self, *, experimental: bool = True) -> AsyncIterator[RpcClient]:
        """Connect a client that gets JSON, and holds what it gets against the types that methods declare.

        Requires a plugin with the hook ``app_server``.

        :param experimental: whether it enables the experimental API.
        """
        from codex_testkit.app_client import RpcClient

        client = RpcClient(await self.connect(experimental=experimental), await self._types())
        try:
            yield client
        finally:
            await client.aclose()
        self.check()

    def check(self) -> None:
        """Fail the test if there was an unexpected failure of a plugin so far.

        :raises AssertionError: with plugin, hook and code location, chained to the original error.
        """
        if self._failures is None or self._open is None:
            return
        for text, error in self._open.failures:
            if not any(expected in text for expected in self._failures):
                self._failures = None  # Report it once.
                raise AssertionError(f'{text}\n(a test that is about this says host(…, failures=["…"]))') from error

    def check_all(self) -> None:
        """Fail the test as :meth:`check` does, or if an expected failure did not happen."""
        self.check()
        happened = [text for text, _ in self._open.failures] if self._open is not None else []
        for expected in self._failures or ():
            if not any(expected in text for text in happened):
                self._failures = None
                raise AssertionError(f"no plugin failed with {expected!r}; failures were: {happened or 'none'}")


@pytest.fixture(scope="session")
def other_machine() -> Iterator[str | None]:
    """Return the address of the remote environment, which runs for the whole session; ``None`` for the local one."""
    wanted = os.environ.get("CODEX_TEST_REMOTE_ENV", "").strip()
    if not wanted:
        yield None
        return
    from codex_testkit.remote_machine import URL_VARIABLE, remote_machine

    with remote_machine(wanted) as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv(URL_VARIABLE, url)
        yield url


@pytest.fixture
def this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use the local environment in a test that requires it."""
    from codex_testkit.remote_machine import URL_VARIABLE

    monkeypatch.delenv(URL_VARIABLE, raising=False)


@pytest.fixture
def model() -> Callable[..., ScriptedModel]:
    """Return a factory of models; each argument is one response, as text or as the steps of a script's round."""
    from codex_testkit.memory.model import ScriptedModel

    return ScriptedModel


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Return an empty project with its own home directory."""
    from codex_testkit.project import Project

    return Project(tmp_path)


@pytest.fixture
async def host(tmp_path: Path, anyio_backend: object, other_machine: str | None) -> AsyncIterator[HostFactory]:
    """Return a factory of hosts: ``await host(plugins=[plugin], model=model("hi")).turn("go")``."""
    hosts: list[KitHost] = []
    async with AsyncExitStack() as stack:

        def factory(
            *,
            plugins: Sequence[object] = (),
            model: object = None,
            store: object = None,
            files: Mapping[str, str] | None = None,
            config: Mapping[str, Any] | str | None = None,
            environ: Mapping[str, str] | None = None,
            failures: Sequence[str] | None = (),
            **others: Any,
        ) -> KitHost:
            from codex_testkit.remote_machine import with_remote

            plugins, environ = with_remote(plugins, environ)
            home, cwd = tmp_path / "home", tmp_path / "project"
            for folder in (home, cwd):
                folder.mkdir(exist_ok=True)
            for name, content in (files or {}).items():
                path = cwd / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content, encoding="utf-8")
            kit = ("test-kit", _kit_plugin(model, store))
            own = {"plugins": [*plugins, kit], "home": str(home), "cwd": str(cwd), "config": config, "environ": environ}
            hosts.append(KitHost(stack, {**own, **others}, failures=failures))
            return hosts[-1]

        yield factory
    for each in hosts:
        each.check_all()


def _kit_plugin(model: object, store: object) -> object:
    from codex_hookspecs.markers import hookimpl
    from codex_testkit.memory.model import ScriptedModel
    from codex_testkit.memory.store import MemoryThreadStore

    chosen_model = model if model is not None else ScriptedModel("done")
    chosen_store = store if store is not None else MemoryThreadStore()

    class Kit:
        @hookimpl(trylast=True)
        def model_provider(self, name: str) -> Any:
            return chosen_model if name == "test" else None

        @hookimpl(trylast=True)
        def thread_store(self) -> Any:
            return chosen_store

    return Kit()


def _open_host() -> Callable[..., Any]:
    from importlib.metadata import entry_points

    for point in entry_points(group="codex.test_host"):
        found: Callable[..., Any] = point.load()
        return found
    raise RuntimeError("whole turns need a host: install codex-host beside the test kit")
