"""Plugins that fail while they run: who is named, what goes on, what does not."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from codex_hookspecs import PreToolUseVerdict, ToolOutput, hookimpl
from codex_hookspecs.markers import enabled_if, time_limit
from codex_hookspecs.types.tools import HookPayload, ToolCall
from codex_instructions import plugin as instructions
from codex_testkit import MemoryEnvironments

RUN = [{"call": "run", "call_id": "c"}]
BASH = HookPayload(tool_name="Bash", tool_input={"command": "make it"})


def line(function: Any, offset: int = 1) -> str:
    """Return the place of a line of a function as messages show it."""
    return f"({__file__}:{function.__code__.co_firstlineno + offset})"


class Panic(BaseException):
    """What libraries raise that are written in other languages."""


class Unspeakable(Exception):
    """An error whose text can't be had."""

    def __str__(self) -> str:
        raise ValueError


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (Panic("rust"), "Panic: rust"),
        (GeneratorExit(), "GeneratorExit"),
        (SystemExit(3), "SystemExit: 3"),
        (Unspeakable(), "Unspeakable: its text can't be had: ValueError"),
        (StopIteration(), "RuntimeError: coroutine raised StopIteration"),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("hook", ["instruction_fragments", "user_prompt_submit", "pre_model_request", "stop"])
async def test_whatever_a_hook_raises_is_told_with_its_place_and_ends_nothing(
    host: Any, model: Any, kit: Any, hook: str, error: BaseException, told: str
) -> None:
    async def failing() -> None:
        raise error

    outcome = await host(plugins=[kit.plugin("p", **{hook: failing})], model=model("done")).turn("go")

    assert (outcome.turn.status, outcome.final_message) == ("completed", "done")
    [warning] = outcome.warnings
    assert warning.startswith(f"plugin p (p 0): {hook} raised {told} (")
    assert warning.endswith((line(failing), line(failing, 0)))


@pytest.mark.parametrize("error", [Panic("rust"), SystemExit(3), Unspeakable()], ids=lambda value: type(value).__name__)
async def test_whatever_an_offer_raises_is_told_and_ends_nothing(
    host: Any, model: Any, kit: Any, error: BaseException
) -> None:
    def failing(thread: Any) -> Any:
        raise error

    def generating(thread: Any) -> Any:
        yield kit.saying("echo", "e")
        raise error

    plugins = [kit.plugin("p", tools=failing), kit.plugin("q", tools=generating)]

    outcome = await host(plugins=plugins, model=model("done")).turn("go")

    assert outcome.final_message == "done"
    assert [warning.partition(" raised ")[0] for warning in outcome.warnings] == [
        "plugin p (p 0): tools",
        "plugin q (q 0): tools",
    ]


async def test_an_odd_value_of_an_event_is_told_with_its_place(host: Any, model: Any, kit: Any) -> None:
    async def instruction_fragments() -> Any:
        return (number for number in (1, 2))

    outcome = await host(
        plugins=[kit.plugin("p", instruction_fragments=instruction_fragments)], model=model("done")
    ).turn("go")

    assert outcome.warnings == [
        f"plugin p (p 0): instruction_fragments returned int where a Fragment belongs {line(instruction_fragments, 0)}"
    ]


async def test_a_contribution_without_a_name_is_refused(host: Any, model: Any, kit: Any) -> None:
    odd = SimpleNamespace(name=["unhashable"], spec={}, run=None)

    outcome = await host(plugins=[kit.plugin("p", tools=lambda thread: [odd])], model=model("done")).turn("go")

    assert "tools returned a Tool whose name is ['unhashable'], not text" in outcome.warnings[0]


async def test_a_machine_whose_files_fail_is_named_and_fails_the_turn_with_one_error(host: Any, model: Any) -> None:
    class Files:
        async def broken(self, *arguments: Any, **options: Any) -> Any:
            raise TypeError("bad files")

        def __getattr__(self, name: str) -> Any:
            return self.broken

    class Machines(MemoryEnvironments):
        async def open(self) -> Any:
            machine = await super().open()
            parts = ("id", "exec", "facts", "aclose")
            return SimpleNamespace(remote=True, files=Files(), **{part: getattr(machine, part) for part in parts})

        @hookimpl
        def environments(self) -> Any:
            return [self]

    outcome = await host(plugins=[("machines", Machines("scratch")), instructions], model=model("done")).turn("go")

    assert outcome.turn.status == "failed"
    assert outcome.error == (
        "plugin machines (machines 0): instruction_fragments of plugin instructions raised TypeError: bad files "
        f"{line(Files.broken)}"
    )
    assert outcome.warnings == []


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (ValueError("broken"), "the sandbox launcher raised ValueError: broken"),
        (Panic("rust"), "the sandbox launcher raised Panic: rust"),
        ("bwrap", "the sandbox launcher returned str, not Launch"),
    ],
)
async def test_a_sandbox_launcher_that_fails_is_named_and_the_command_is_not_run(
    host: Any, model: Any, kit: Any, answer: Any, told: str
) -> None:
    from codex_hookspecs.types.sandbox import LaunchRequest, SandboxPolicy

    class Launcher:
        name = "broken"

        def launch(self, request: Any) -> Any:
            if isinstance(answer, BaseException):
                raise answer
            return answer

    async def run(call: ToolCall, context: Any) -> ToolOutput:
        policy = SandboxPolicy("readOnly")
        context.launch(LaunchRequest(argv=("true",), cwd="/", env={}, policy=policy))
        return ToolOutput("ran")

    scripted = model(RUN, "done")
    plugins = [kit.toolbox(kit.tool("run", run)), kit.plugin("box", sandbox_launcher=lambda policy: Launcher())]

    await host(plugins=plugins, model=scripted).turn("go")

    assert scripted.output("c").startswith(f"the command was not run: plugin box (box 0): {told}")


async def ran(host: Any, scripted: Any, *plugins: Any, **options: Any) -> Any:
    """Run a turn in which nobody can be asked."""
    return await host(plugins=list(plugins), model=scripted, **options).turn("go")


def toolbox(kit: Any) -> Any:
    return kit.toolbox(kit.saying("run", "ran", hook_view=lambda call: BASH))


async def test_a_gate_whose_plugin_failed_to_load_keeps_tools_from_running(host: Any, model: Any, kit: Any) -> None:
    async def pre_tool_use(event: Any, nonsense: Any) -> None:
        return None

    scripted = model(RUN, "done")

    await ran(host, scripted, toolbox(kit), kit.plugin("guard", pre_tool_use=pre_tool_use), strict=False)

    assert "plugin guard is failed" in scripted.output("c")
    assert "its pre_tool_use can't be asked" in scripted.output("c")


async def test_a_gate_in_quarantine_keeps_tools_from_running(host: Any, model: Any, kit: Any) -> None:
    async def pre_tool_use(event: Any) -> None:
        raise ValueError("no luck")

    calls = [[{"call": "run", "call_id": f"c{number}"}] for number in range(4)]
    scripted = model(*(each for call in calls for each in (call, "done")))
    run = host(plugins=[toolbox(kit), kit.plugin("guard", pre_tool_use=pre_tool_use)], model=scripted)

    outputs = []
    for number in range(4):
        await run.turn("go")
        outputs.append(scripted.output(f"c{number}"))

    assert "ran" not in outputs
    assert "plugin guard is quarantined: pre_tool_use raised ValueError 3x" in outputs[-1]


async def test_an_observer_in_quarantine_does_not_take_its_gate_along(host: Any, model: Any, kit: Any) -> None:
    async def pre_tool_use(event: Any) -> PreToolUseVerdict:
        return PreToolUseVerdict.deny("guarded")

    async def stop(event: Any) -> None:
        raise ValueError("no luck")

    scripted = model("a", "b", "c", RUN, "done")
    run = host(plugins=[toolbox(kit), kit.plugin("guard", pre_tool_use=pre_tool_use, stop=stop)], model=scripted)

    outcomes = [await run.turn("go") for _ in range(4)]

    assert "it is not called any more" in outcomes[2].warnings[-1]
    assert "guarded" in scripted.output("c")


@pytest.mark.parametrize("answer", ["nonsense", True, {"permissionDecision": "deny"}])
async def test_a_gate_that_answers_nonsense_keeps_tools_from_running(
    host: Any, model: Any, kit: Any, answer: Any
) -> None:
    scripted = model(RUN, "done")

    await ran(host, scripted, toolbox(kit), kit.plugin("guard", pre_tool_use=kit.answering(answer)))

    assert f"pre_tool_use returned {type(answer).__name__}, not PreToolUseVerdict" in scripted.output("c")


async def test_a_gate_that_is_late_keeps_tools_from_running(host: Any, model: Any, kit: Any) -> None:
    @time_limit(0.05)
    async def pre_tool_use(event: Any) -> None:
        await asyncio.sleep(60)

    scripted = model(RUN, "done")

    await ran(host, scripted, toolbox(kit), kit.plugin("guard", pre_tool_use=pre_tool_use))

    assert "pre_tool_use took longer than 0.05 s" in scripted.output("c")


async def test_a_gate_that_can_not_tell_whether_it_is_active_is_asked(host: Any, model: Any, kit: Any) -> None:
    def broken(host: Any, thread: Any) -> bool:
        raise KeyError("setting")

    @enabled_if(broken)
    async def pre_tool_use(event: Any) -> PreToolUseVerdict:
        return PreToolUseVerdict.deny("guarded")

    scripted = model(RUN, "done")

    await ran(host, scripted, toolbox(kit), kit.plugin("guard", pre_tool_use=pre_tool_use))

    assert "guarded" in scripted.output("c")


async def test_waiting_for_a_machine_is_not_charged_to_hooks(host: Any, model: Any, kit: Any) -> None:
    class Slow(MemoryEnvironments):
        async def open(self) -> Any:
            await asyncio.sleep(1)
            return await super().open()

    @time_limit(0.5)
    async def stop(event: Any, host: Any) -> None:
        await host.environments.get("slow")
        await asyncio.sleep(0.1)

    @time_limit(0.5)
    async def late(event: Any, host: Any) -> None:
        await host.environments.get("slow")
        await asyncio.sleep(60)

    plugins = [kit.plugin("m", environments=lambda: [Slow("slow")]), kit.plugin("p", stop=stop)]
    application = (await host(plugins=plugins, model=model("done")).opened()).application
    threads = [await application.threads.start() for _ in range(50)]
    warned: list[Any] = []

    async def turn(thread: Any) -> None:
        async def listener(notification: Any) -> None:
            if notification.METHOD == "warning":
                warned.append(notification.message)

        thread.listen(listener)
        await thread.submit([{"type": "text", "text": "go"}])
        await thread.wait_idle()

    await asyncio.gather(*map(turn, threads))

    assert warned == []
    cut = await host(
        plugins=[kit.plugin("m", environments=lambda: [Slow("slow")]), kit.plugin("p", stop=late)], model=model("done")
    ).turn("go")
    assert "stop took longer than 0.5 s" in cut.warnings[0]
