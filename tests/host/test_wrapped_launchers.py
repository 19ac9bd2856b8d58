"""A plugin asks for what it would have been given without it, and wraps it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from codex_hookspecs import hookimpl
from codex_hookspecs.errors import SandboxUnavailable
from codex_hookspecs.host import Host
from codex_hookspecs.sandbox import Launch, LaunchRequest, SandboxLauncher, SandboxPolicy

pytestmark = pytest.mark.anyio
POLICY = SandboxPolicy("readOnly")
REQUEST = LaunchRequest(argv=("true",), env={}, cwd="/", policy=POLICY, policy_cwd="/")


class Around:
    """Puts its name in front of a command that the next launcher wraps, asked for early or late."""

    def __init__(self, name: str, *, late: bool = False) -> None:
        self.name = name
        self._late = late

    @hookimpl
    def sandbox_launcher(self, policy: SandboxPolicy, host: Host) -> SandboxLauncher:
        return Wrapping(self.name, (lambda: host.launcher(policy)) if self._late else _given(host.launcher(policy)))


class Wrapping:
    def __init__(self, name: str, inner: Callable[[], SandboxLauncher]) -> None:
        self.name = name
        self._inner = inner

    def launch(self, request: LaunchRequest) -> Launch:
        launch = self._inner().launch(request)
        return Launch(argv=(self.name, *launch.argv), env=launch.env)


class Last:
    @hookimpl(trylast=True)
    def sandbox_launcher(self) -> SandboxLauncher:
        return Plain()


class Plain:
    name = "plain"

    def launch(self, request: LaunchRequest) -> Launch:
        return Launch(argv=request.argv, env=request.env)


def _given(launcher: SandboxLauncher) -> Callable[[], SandboxLauncher]:
    return lambda: launcher


@pytest.mark.parametrize("late", [False, True], ids=["in the hook", "in the launcher"])
async def test_each_launcher_gets_the_one_after_it(host: Any, late: bool) -> None:
    plugins = [("a", Around("a", late=late)), ("b", Around("b", late=late)), ("c", Last())]
    program = await host(plugins=plugins).program()

    for _ in range(2):
        assert program.launcher(POLICY).launch(REQUEST).argv == ("a", "b", "true")


async def test_the_last_launcher_is_told_that_there_is_none_after_it(host: Any) -> None:
    program = await host(plugins=[("a", Around("a"))]).program()

    with pytest.raises(SandboxUnavailable, match="no sandbox launcher on"):
        program.launcher(POLICY)
