"""The test kit shows authors what their plugins do wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from codex_hookspecs import CliCommand, Tool, hookimpl, time_limit
from codex_hookspecs.errors import (
    CodexError,
    ConfigError,
    ExecError,
    FileSystemError,
    PluginError,
    StorageError,
    ToolError,
    WireError,
)

pytestmark = pytest.mark.anyio


class Broken:
    """A plugin with a slip."""

    @hookimpl
    async def stop(self, event: Any) -> None:
        {}["missing"]


SLIP = f"stop raised KeyError: 'missing' ({__file__}:{Broken.stop.__code__.co_firstlineno + 2})"


async def test_a_hook_that_fails_fails_the_test_with_its_place(host: Any, model: Any) -> None:
    with pytest.raises(AssertionError) as failed:
        await host(plugins=[Broken()], model=model("done")).turn("go")

    assert SLIP in str(failed.value)
    assert isinstance(failed.value.__cause__, KeyError)


async def test_a_failure_may_be_expected(host: Any, model: Any) -> None:
    outcome = await host(plugins=[Broken()], model=model("done"), failures=["stop raised KeyError"]).turn("go")

    assert outcome.final_message == "done"


async def test_a_failure_that_is_expected_and_does_not_happen_fails_the_test(host: Any, model: Any) -> None:
    run = host(plugins=[Broken()], model=model("done"), failures=["stop raised KeyError", "tools"])
    await run.turn("go")

    with pytest.raises(AssertionError, match="no plugin failed with 'tools'; failures were: "):
        run.check_all()


async def test_a_hook_that_is_not_called_yet_is_told(host: Any, model: Any) -> None:
    class Waiting:
        @hookimpl
        async def subagent_stop(self) -> None: ...

    outcome = await host(plugins=[("waiting", Waiting())], model=model("done")).turn("go")

    text = "plugin waiting: it implements the hook subagent_stop, which this version of the host does not call yet"
    assert text in outcome.warnings


async def test_the_text_of_a_configuration_file_is_a_configuration(host: Any, model: Any) -> None:
    run = host(model=model("done"), config='model = "gpt-test"\n[hooks]\nmax_stop_blocks = 3\n')

    outcome = await run.turn("go")

    assert outcome.thread.settings.model == "gpt-test"
    assert outcome.thread.config["hooks"]["max_stop_blocks"] == 3


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"plugins": ["hello"]}, "plugins holds the text 'hello'; give the module or object that has the hooks"),
        ({"plugins": [SimpleNamespace(stop=print)]}, "implements no hook; mark its functions with @hookimpl"),
        ({"config": 5}, "config is 5, allowed is a table or the text of a config.toml"),
    ],
)
async def test_what_is_no_plugin_or_configuration_is_refused(host: Any, model: Any, given: Any, told: str) -> None:
    with pytest.raises(TypeError) as refused:
        await host(model=model("done"), **given).turn("go")

    assert told in str(refused.value)


async def test_a_command_that_nobody_offers_is_told(host: Any) -> None:
    class Greeting:
        @hookimpl
        def cli_commands(self) -> list[CliCommand]:
            async def greet(words: Sequence[str], program: Any) -> int:
                return len(words)

            return [CliCommand(name="greet", help="Say hello", run=greet)]

    run = host(plugins=[Greeting()])

    assert await run.command("greet", "one", "two") == 2
    with pytest.raises(LookupError, match="no plugin offers the command 'great'; offered are: greet"):
        await run.command("great")


async def test_a_client_needs_a_plugin_that_serves_it(host: Any) -> None:
    with pytest.raises(PluginError, match="no plugin offers an app-server"):
        await host().connect()


async def test_the_program_is_what_hooks_get(host: Any, model: Any) -> None:
    seen: list[Any] = []

    class Looking:
        @hookimpl
        async def stop(self, host: Any) -> None:
            seen.append(host)

    run = host(plugins=[Looking()], model=model("done"))
    await run.turn("go")

    assert seen == [await run.program()]


async def test_plugins_have_their_names_and_standing_of_the_installed_program(host: Any) -> None:
    from codex_tool_apply_patch import plugin as tool_apply_patch
    from codex_tool_exec import plugin as tool_exec

    class Mine:
        @hookimpl(tryfirst=True)
        def tools(self) -> list[Any]:
            return []

    program = await host(plugins=[Mine(), tool_exec, ("patch", tool_apply_patch)]).program()

    assert program.registry.sharing("tools") == ["patch", "tool-exec", "Mine"]


async def test_the_manifest_of_a_plugin_orders_it(host: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    package = tmp_path / "sources/early_plugin"
    package.mkdir(parents=True)
    (package / "codex-plugin.toml").write_text('name = "early"\napi = 1\nbefore = ["tool-exec"]\n')
    (package / "__init__.py").touch()
    (package / "plugin.py").write_text(
        "from codex_hookspecs import hookimpl\n\n@hookimpl\ndef tools():\n    return []\n"
    )
    monkeypatch.syspath_prepend(str(package.parent))
    from codex_tool_exec import plugin as tool_exec

    program = await host(plugins=[tool_exec, import_module("early_plugin.plugin")]).program()

    assert program.registry.sharing("tools") == ["early", "tool-exec"]


async def test_the_program_has_the_path_of_the_test_and_nothing_else(host: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("PATH", "/opt/bin")

    assert (await host(environ={"KEY": "x"}).program()).environ == {"PATH": "/opt/bin", "KEY": "x"}
    assert (await host(environ={"PATH": ""}).program()).environ == {"PATH": ""}


@pytest.fixture
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give cancelled tasks little time."""
    for module in ("plugins.tasks", "testing"):
        monkeypatch.setattr(f"codex_host.{module}.GRACE", 0.05)


async def _swallow() -> None:
    while True:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60)


async def test_a_hook_that_ignores_its_cancellation_does_not_keep_the_test_from_ending(
    host: Any, model: Any, short_grace: None
) -> None:
    class Stubborn:
        @hookimpl
        @time_limit(0.01)
        async def stop(self, event: Any) -> None:
            await _swallow()

    expected = ["stop took longer than 0.01 s and did not end when it was cancelled: it is left behind"]
    outcome = await host(plugins=[("stubborn", Stubborn())], model=model("done"), failures=expected).turn("go")

    assert outcome.final_message == "done"


async def test_a_task_of_a_plugin_that_ignores_its_cancellation_is_named(
    host: Any, model: Any, short_grace: None
) -> None:
    class Stubborn:
        @hookimpl
        async def stop(self, event: Any) -> None:
            self.task = asyncio.create_task(_swallow())

    expected = ["plugin stubborn (stubborn 0): _swallow did not end when it was cancelled and is left behind"]
    outcome = await host(plugins=[("stubborn", Stubborn())], model=model("done"), failures=expected).turn("go")

    assert outcome.warnings == []


async def test_a_result_that_is_no_json_fails_the_test_with_the_function(host: Any, model: Any) -> None:
    def odd() -> Any:
        """Return what has no JSON."""
        return object()

    class Offering:
        @hookimpl
        def tools(self) -> list[Tool]:
            return [Tool.from_function(odd)]

    agent = model([{"call": "odd", "args": {}, "call_id": "c"}], "done")
    with pytest.raises(AssertionError) as failed:
        await host(plugins=[("offering", Offering())], model=agent).turn("go")

    told = "plugin offering (offering 0): tool odd raised TypeError: odd ran, but its result can't be shown: "
    assert told in str(failed.value)
    assert f"({__file__}:{odd.__code__.co_firstlineno})" in str(failed.value)
    assert "odd ran, but its result can't be shown" in agent.output("c")


async def test_runs_of_a_hook_that_does_not_exist_are_refused(host: Any, model: Any) -> None:
    outcome = await host(model=model("done")).turn("go")

    assert outcome.hooks("stop") == []
    with pytest.raises(LookupError, match=r"no hook 'stopp' has runs; did you mean 'stop'\?"):
        outcome.hooks("stopp")
    with pytest.raises(LookupError, match="no hook 'tools' has runs"):
        outcome.hooks("tools")


async def test_the_host_answers_what_a_command_does_not(host: Any, capsys: pytest.CaptureFixture[str]) -> None:
    ran: list[Sequence[str]] = []

    async def run(words: Sequence[str], program: Any) -> int:
        ran.append(words)
        return 3

    class Counting:
        @hookimpl
        def cli_commands(self) -> list[CliCommand]:
            return [
                CliCommand(name="tally", help="Count the votes", run=run, usage="Usage: codex tally [PARTY]"),
                CliCommand(name="plain", help="Count", run=run),
                CliCommand(name="own", help="Count", run=run, own_parser=True),
            ]

    program = host(plugins=[Counting()])

    assert [await program.command(*line.split()) for line in ("tally x --help", "plain -h")] == [0, 0]
    shown = "Count the votes\n\nUsage: codex tally [PARTY]\nCount\n\nUsage: codex plain [ARGUMENTS]\n"
    assert (ran, capsys.readouterr().out) == ([], shown)
    assert [await program.command(*line.split()) for line in ("tally -- --help", "own -h")] == [3, 3]
    assert ran == [("--", "--help"), ("-h",)]


@pytest.mark.parametrize(
    ("error", "is_fault"),
    [
        (ToolError("no such page"), False),
        (FileSystemError("no such page", path="/page"), False),
        (ExecError("no such page"), False),
        (ConfigError("no such page"), False),
        (StorageError("no such page"), False),
        (CodexError("no such page"), True),
        (WireError((("no such page", "$"),)), True),
        (TimeoutError("no such page"), True),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
async def test_errors_of_a_tool_are_for_the_model_or_faults_of_the_plugin(
    host: Any, model: Any, error: Exception, is_fault: bool
) -> None:
    def look() -> None:
        """Look something up."""
        raise error

    class Offering:
        @hookimpl
        def tools(self) -> list[Tool]:
            return [Tool.from_function(look)]

    agent = model([{"call": "look", "args": {}, "call_id": "c"}], "done")
    told = f"plugin offering (offering 0): tool look raised {type(error).__name__}: {error}"
    outcome = await host(plugins=[("offering", Offering())], model=agent, failures=[told] * is_fault).turn("go")

    assert len(outcome.warnings) == is_fault
    failed = f"tool look failed: {type(error).__name__}: "
    assert agent.output("c") == failed * is_fault + str(error)
