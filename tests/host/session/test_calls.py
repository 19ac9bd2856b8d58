"""Tool calls: hooks around them, parallel ones, failing ones, what the model is told."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest

from codex_hookspecs import PostToolUseVerdict, PreToolUseVerdict, Tool, ToolOutput
from codex_hookspecs.errors import ToolError, ToolRejected
from codex_hookspecs.types.items import DynamicToolCall
from codex_hookspecs.types.notifications import WarningNotice
from codex_hookspecs.types.sandbox import LaunchRequest
from codex_hookspecs.types.tools import HookPayload, ToolCall
from codex_testkit.memory.environment import MemoryEnvironments


def echoing(kit: Any, name: str = "echo", **options: Any) -> Tool:
    """Return a tool that gives its arguments."""

    async def run(call: ToolCall, context: Any) -> ToolOutput:
        return ToolOutput(f"{name} {call.arguments}")

    return kit.tool(name, run, **options)


def shell(kit: Any) -> Tool:
    """Return a tool that hooks know as Bash."""

    def payload(call: ToolCall) -> HookPayload:
        return HookPayload(tool_name="Bash", tool_input={"command": call.arguments})

    def from_hook_input(call: ToolCall, new_input: Any) -> ToolCall:
        if not isinstance(new_input.get("command"), str):
            raise ToolError("updatedInput without a command")
        return ToolCall(call_id=call.call_id, name=call.name, arguments=new_input["command"])

    return echoing(kit, "shell", hook_view=payload, from_hook_input=from_hook_input)


CALL = [{"call": "shell", "args": "rm -rf /", "call_id": "c"}]


async def test_hooks_see_a_call_and_its_output(host: Any, model: Any, kit: Any) -> None:
    before: list[Any] = []
    after: list[Any] = []
    hooks = kit.plugin("p", pre_tool_use=kit.answering(None, before), post_tool_use=kit.answering(None, after))
    scripted = model([{"call": "echo", "args": {"text": "hi"}, "call_id": "c"}], "done")

    await host(plugins=[hooks, kit.toolbox(echoing(kit))], model=scripted).turn("go")

    assert (before[0].tool_name, before[0].tool_input, before[0].tool_use_id) == ("echo", {"text": "hi"}, "c")
    assert (after[0].tool_name, after[0].tool_input, after[0].tool_response) == (
        "echo", {"text": "hi"}, 'echo {"text": "hi"}',
    )  # fmt: skip
    assert scripted.output("c") == 'echo {"text": "hi"}'


async def test_a_denied_call_does_not_run_and_shows_no_item(host: Any, model: Any, kit: Any) -> None:
    after: list[Any] = []
    hooks = kit.plugin(
        "p",
        pre_tool_use=kit.answering(PreToolUseVerdict.deny("too dangerous")),
        post_tool_use=kit.answering(None, after),
    )
    scripted = model(CALL, "done")

    outcome = await host(plugins=[hooks, kit.toolbox(shell(kit))], model=scripted).turn("go")

    assert scripted.output("c") == "Command blocked by PreToolUse hook: too dangerous. Command: rm -rf /"
    assert after == []
    assert not any(isinstance(item, DynamicToolCall) for item in outcome.items)


async def test_any_denial_beats_a_rewritten_input(host: Any, model: Any, kit: Any) -> None:
    plugins = [
        kit.plugin("a", pre_tool_use=kit.answering(PreToolUseVerdict(updated_input={"command": "ls"}))),
        kit.plugin("b", pre_tool_use=kit.answering(PreToolUseVerdict.deny("no"))),
        kit.toolbox(shell(kit)),
    ]
    scripted = model(CALL, "done")

    await host(plugins=plugins, model=scripted).turn("go")

    assert scripted.output("c").startswith("Command blocked by PreToolUse hook: no.")


async def test_a_rewritten_input_is_what_runs_and_what_hooks_see_afterwards(host: Any, model: Any, kit: Any) -> None:
    after: list[Any] = []
    verdict = PreToolUseVerdict(updated_input={"command": "ls"})
    hooks = kit.plugin("p", pre_tool_use=kit.answering(verdict), post_tool_use=kit.answering(None, after))
    scripted = model(CALL, "done")

    await host(plugins=[hooks, kit.toolbox(shell(kit))], model=scripted).turn("go")

    assert scripted.output("c") == "shell ls"
    assert after[0].tool_input == {"command": "ls"}


@pytest.mark.parametrize(
    ("custom", "new_input", "output"),
    [
        (False, {"x": 1}, 'echo {"x": 1}'),
        (True, {"input": "free text"}, "echo free text"),
        (True, {"wrong": 1}, "a hook gave echo an input without the text 'input'"),
    ],
)
async def test_input_of_any_tool_can_be_rewritten(
    host: Any, model: Any, kit: Any, custom: bool, new_input: Any, output: str
) -> None:
    hooks = kit.plugin("p", pre_tool_use=kit.answering(PreToolUseVerdict(updated_input=new_input)))
    scripted = model([{"call": "echo", "args": "original", "custom": custom, "call_id": "c"}], "done")

    await host(plugins=[hooks, kit.toolbox(echoing(kit))], model=scripted).turn("go")

    assert scripted.output("c") == output


async def test_an_input_that_does_not_fit_is_told_to_the_model(host: Any, model: Any, kit: Any) -> None:
    verdict = PreToolUseVerdict(updated_input={"cmd": "ls"}, contexts=("kept",))
    scripted = model(CALL, "done")

    await host(
        plugins=[kit.plugin("p", pre_tool_use=kit.answering(verdict)), kit.toolbox(shell(kit))], model=scripted
    ).turn("go")

    assert kit.texts(scripted.requests[1].input)[-2:] == [
        ("developer", "kept"), ("output", "updatedInput without a command"),
    ]  # fmt: skip


async def test_contexts_of_both_hooks_precede_the_output(host: Any, model: Any, kit: Any) -> None:
    hooks = kit.plugin(
        "p",
        pre_tool_use=kit.answering(PreToolUseVerdict(contexts=("before",))),
        post_tool_use=kit.answering(PostToolUseVerdict(contexts=("after",))),
    )
    scripted = model([{"call": "echo", "args": {}, "call_id": "c"}], "done")

    await host(plugins=[hooks, kit.toolbox(echoing(kit))], model=scripted).turn("go")

    assert kit.texts(scripted.requests[1].input)[-3:] == [
        ("developer", "before"), ("developer", "after"), ("output", "echo {}"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("verdicts", "output"),
    [
        ([PostToolUseVerdict.block("wrong")], "wrong"),
        ([PostToolUseVerdict.block("one"), PostToolUseVerdict.block("two")], "one\n\ntwo"),
        ([PostToolUseVerdict(stop_reason="stopped")], "stopped"),
        ([PostToolUseVerdict(stop_reason="stopped", feedback=("reason",))], "reason"),
        ([PostToolUseVerdict()], "echo {}"),
    ],
)
async def test_feedback_replaces_the_output_and_the_turn_goes_on(
    host: Any, model: Any, kit: Any, verdicts: list[PostToolUseVerdict], output: str
) -> None:
    hooks = [kit.plugin(f"p{index}", post_tool_use=kit.answering(each)) for index, each in enumerate(verdicts)]
    scripted = model([{"call": "echo", "args": {}, "call_id": "c"}], "done")

    outcome = await host(plugins=[*hooks, kit.toolbox(echoing(kit))], model=scripted).turn("go")

    assert scripted.output("c") == output
    assert outcome.final_message == "done"


async def test_parallel_calls_run_side_by_side_and_are_answered_in_order(host: Any, model: Any, kit: Any) -> None:
    second_done = asyncio.Event()

    async def slow(call: ToolCall, context: Any) -> ToolOutput:
        await second_done.wait()
        return ToolOutput("slow")

    async def quick(call: ToolCall, context: Any) -> ToolOutput:
        second_done.set()
        return ToolOutput("quick")

    tools = kit.toolbox(kit.tool("slow", slow, parallel=True), kit.tool("quick", quick, parallel=True))
    scripted = model([{"call": "slow", "call_id": "a"}, {"call": "quick", "call_id": "b"}], "done")

    async with asyncio.timeout(5):
        await host(plugins=[tools], model=scripted).turn("go")

    outputs = [(item["call_id"], item["output"]) for item in scripted.requests[1].input if "output" in item]
    assert outputs == [("a", "slow"), ("b", "quick")]


async def test_other_calls_wait_for_each_other(host: Any, model: Any, kit: Any) -> None:
    running: list[str] = []
    most: list[int] = []

    async def run(call: ToolCall, context: Any) -> ToolOutput:
        running.append(call.call_id)
        most.append(len(running))
        await asyncio.sleep(0)
        running.remove(call.call_id)
        return ToolOutput(call.call_id)

    tools = kit.toolbox(kit.tool("alone", run), kit.tool("together", run, parallel=True))
    names = ("together", "alone", "together", "together", "alone")
    scripted = model([{"call": name, "call_id": str(index)} for index, name in enumerate(names)], "done")

    await host(plugins=[tools], model=scripted).turn("go")

    assert max(most) == 2
    assert [item["output"] for item in scripted.requests[1].input if "output" in item] == list("01234")


async def test_one_failing_call_of_several_leaves_the_others_alone(host: Any, model: Any, kit: Any) -> None:
    async def failing(call: ToolCall, context: Any) -> ToolOutput:
        raise ValueError("no luck")

    tools = kit.toolbox(kit.tool("failing", failing, parallel=True), echoing(kit, parallel=True))
    scripted = model([{"call": "failing", "call_id": "a"}, {"call": "echo", "args": {}, "call_id": "b"}], "done")

    outcome = await host(plugins=[tools], model=scripted).turn("go")

    assert (scripted.output("a"), scripted.output("b")) == ("tool failing failed: ValueError: no luck", "echo {}")
    assert outcome.turn.status == "completed"


@pytest.mark.parametrize(
    ("custom", "told"), [(False, "unsupported call: absent"), (True, "unsupported custom tool call: absent")]
)
async def test_a_tool_that_does_not_exist_is_told_to_the_model(
    host: Any, model: Any, kit: Any, custom: bool, told: str
) -> None:
    seen: list[Any] = []
    scripted = model([{"call": "absent", "custom": custom, "call_id": "c"}], "done")

    outcome = await host(plugins=[kit.plugin("p", pre_tool_use=kit.answering(None, seen))], model=scripted).turn("go")

    assert scripted.output("c") == told
    assert scripted.requests[1].input[-1]["type"] == f"{'custom_tool' if custom else 'function'}_call_output"
    assert (outcome.final_message, seen) == ("done", [])


def exiting() -> None:
    sys.exit("bye")


@pytest.mark.parametrize(
    ("outcome", "told", "warned"),
    [
        (ToolError("the file is gone"), "the file is gone", False),
        (ValueError("no luck"), "tool odd failed: ValueError: no luck", True),
        (SystemExit("bye"), "tool odd failed: SystemExit: bye", True),
        (asyncio.CancelledError(), "tool odd failed: CancelledError: ", True),
        ("text", "tool odd returned str, not ToolOutput", True),
        (None, "tool odd returned NoneType, not ToolOutput", True),
        (ToolOutput(content=({"nonsense": 1},)), None, False),
    ],
)
async def test_a_tool_that_misbehaves_is_an_answer_to_the_model(
    host: Any, model: Any, kit: Any, outcome: Any, told: str | None, warned: bool
) -> None:
    after: list[Any] = []

    async def run(call: ToolCall, context: Any) -> Any:
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    plugins = [kit.toolbox(kit.tool("odd", run)), kit.plugin("p", post_tool_use=kit.answering(None, after))]
    scripted = model([{"call": "odd", "call_id": "c"}], "done")

    seen = await host(plugins=plugins, model=scripted).turn("go")

    assert (seen.turn.status, seen.final_message) == ("completed", "done")
    assert told is None or scripted.output("c") == told
    assert bool(seen.warnings) is warned
    assert all(warning.startswith("plugin toolbox (toolbox 0): tool odd r") for warning in seen.warnings)
    assert all(__file__ in warning for warning in seen.warnings)
    assert bool(after) is (told is None)


async def test_people_are_told_of_a_call_that_its_tool_refuses_each_time(host: Any, model: Any, kit: Any) -> None:
    async def run(call: ToolCall, context: Any) -> Any:
        raise ToolRejected("it is locked")

    after: list[Any] = []
    plugins = [kit.toolbox(kit.tool("odd", run)), kit.plugin("p", post_tool_use=kit.answering(None, after))]
    scripted = model([{"call": "odd", "call_id": "c"}, {"call": "odd", "call_id": "d"}], "done")

    seen = await host(plugins=plugins, model=scripted).turn("go")

    assert scripted.output("c") == "it is locked"
    assert seen.warnings == ["odd declined: it is locked"] * 2
    assert after == []


async def test_a_plain_function_in_place_of_a_tool_is_an_answer_to_the_model(host: Any, model: Any, kit: Any) -> None:
    scripted = model([{"call": "odd", "call_id": "c"}], "done")

    await host(plugins=[kit.toolbox(kit.tool("odd", lambda call, context: ToolOutput("x")))], model=scripted).turn("go")

    assert scripted.output("c").startswith("tool odd failed: TypeError:")


async def test_a_tool_that_cannot_show_its_call_to_hooks_does_not_run(host: Any, model: Any, kit: Any) -> None:
    ran: list[ToolCall] = []

    async def run(call: ToolCall, context: Any) -> ToolOutput:
        ran.append(call)
        return ToolOutput("ran")

    def payload(call: ToolCall) -> HookPayload:
        raise KeyError("cmd")

    scripted = model([{"call": "odd", "call_id": "c"}], "done")

    outcome = await host(plugins=[kit.toolbox(kit.tool("odd", run, hook_view=payload))], model=scripted).turn("go")

    assert scripted.output("c") == "tool odd failed: KeyError: 'cmd'"
    assert (ran, outcome.turn.status) == ([], "completed")


@pytest.mark.parametrize("arguments", ["", "{", "[" * 127, '"text"', "null", '{"a": "\\ud800"}'])
async def test_arguments_may_be_any_text(host: Any, model: Any, kit: Any, arguments: str) -> None:
    seen: list[Any] = []
    plugins = [kit.plugin("p", pre_tool_use=kit.answering(None, seen)), kit.toolbox(kit.saying("echo", "e"))]
    scripted = model([{"call": "echo", "args": arguments, "call_id": "c"}], "done")

    await host(plugins=plugins, model=scripted).turn("go")

    assert scripted.output("c") == "e"
    assert len(seen) == 1


@pytest.mark.parametrize("depth", [128, 10_000])
async def test_arguments_too_deep_for_hooks_and_tools_reach_neither(
    host: Any, model: Any, kit: Any, depth: int
) -> None:
    seen: list[Any] = []
    plugins = [kit.plugin("p", pre_tool_use=kit.answering(None, seen)), kit.toolbox(kit.saying("echo", "e"))]
    scripted = model([{"call": "echo", "args": "[" * depth + "]" * depth, "call_id": "c"}], "done")

    await host(plugins=plugins, model=scripted).turn("go")

    assert scripted.output("c") == "failed to parse function arguments: recursion limit exceeded"
    assert seen == []


async def test_a_call_without_items_of_its_own_is_shown_as_a_dynamic_one(host: Any, model: Any, kit: Any) -> None:
    scripted = model([{"call": "echo", "args": {"x": 1}, "call_id": "c"}], "done")

    outcome = await host(plugins=[kit.toolbox(echoing(kit))], model=scripted).turn("go")

    begun = next(each.item for each in outcome.notifications if each.METHOD == "item/started" and each.item.id == "c")
    [ended] = [item for item in outcome.items if isinstance(item, DynamicToolCall)]
    assert (begun.status, begun.tool, begun.arguments) == ("inProgress", "echo", {"x": 1})
    assert (ended.status, ended.success) == ("completed", True)
    assert ended.content_items == ({"type": "inputText", "text": 'echo {"x": 1}'},)
    assert ended.duration_ms is not None


async def test_a_long_output_is_cut_to_what_the_user_allows(host: Any, model: Any, kit: Any) -> None:
    scripted = model([{"call": "big", "call_id": "c"}], "done")
    run = host(
        plugins=[kit.toolbox(kit.saying("big", "word " * 10_000))],
        model=scripted,
        config={"tool_output_token_limit": 100},
    )

    await run.turn("go")

    assert len(scripted.output("c")) < 1_000
    assert "truncated" in scripted.output("c")


async def test_a_command_without_a_launcher_for_its_policy_is_not_run(host: Any, model: Any, kit: Any) -> None:
    launched: list[Any] = []

    async def run(call: ToolCall, context: Any) -> ToolOutput:
        policy = context.settings.sandbox
        launched.append(context.launch(LaunchRequest(argv=("ls",), cwd="/", env={}, policy=policy)))
        return ToolOutput("ran")

    scripted = model([{"call": "run", "call_id": "c"}], "done")
    sandboxed = host(
        plugins=[kit.toolbox(kit.tool("run", run))], model=scripted, config={"sandbox_mode": "workspace-write"}
    )

    await sandboxed.turn("go")

    assert launched == []
    assert scripted.output("c").startswith("the command was not run: no sandbox launcher on ")
    assert "can enforce the policy workspace-write" in scripted.output("c")
    assert scripted.output("c").endswith("or allow full access with --sandbox danger-full-access")


@pytest.mark.parametrize("launcher", ["raises", "lies"])
async def test_a_command_whose_launcher_fails_is_not_run(host: Any, model: Any, kit: Any, launcher: str) -> None:
    ran: list[str] = []

    class Broken:
        def launch(self, request: Any) -> Any:
            raise OSError("no namespaces here")

    async def run(call: ToolCall, context: Any) -> ToolOutput:
        context.launch(LaunchRequest(argv=("ls",), cwd="/", env={}, policy=context.settings.sandbox))
        ran.append("ran")
        return ToolOutput("ran")

    offered = Broken() if launcher == "raises" else "not a launcher"
    plugins = [
        kit.toolbox(kit.tool("run", run)),
        kit.plugin("broken", sandbox_launcher=lambda policy, platform: offered),
    ]
    scripted = model([{"call": "run", "call_id": "c"}], "done")

    await host(plugins=plugins, model=scripted, config={"sandbox_mode": "read-only"}).turn("go")

    assert ran == []
    assert "no namespaces here" in scripted.output("c") or "the command was not run" in scripted.output("c")


async def test_full_access_needs_no_launcher(host: Any, model: Any, kit: Any) -> None:
    launches: list[Any] = []

    async def run(call: ToolCall, context: Any) -> ToolOutput:
        request = LaunchRequest(argv=("ls",), cwd="/", env={"A": "1"}, policy=context.settings.sandbox)
        launches.append(context.launch(request))
        return ToolOutput("ran")

    await host(plugins=[kit.toolbox(kit.tool("run", run))], model=model([{"call": "run"}], "done")).turn("go")

    assert (launches[0].argv, launches[0].env, launches[0].sandbox_type) == (("ls",), {"A": "1"}, "none")


async def test_a_tool_may_hand_a_call_on(host: Any, model: Any, kit: Any) -> None:
    async def run(call: ToolCall, context: Any) -> ToolOutput:
        return await context.delegate(ToolCall(call_id=call.call_id, name="echo", arguments="handed on"))

    async def lost(call: ToolCall, context: Any) -> ToolOutput:
        return await context.delegate(ToolCall(call_id=call.call_id, name="absent"))

    tools = kit.toolbox(kit.tool("outer", run), kit.tool("lost", lost), echoing(kit))
    scripted = model([{"call": "outer", "call_id": "a"}, {"call": "lost", "call_id": "b"}], "done")

    await host(plugins=[tools], model=scripted).turn("go")

    assert (scripted.output("a"), scripted.output("b")) == ("echo handed on", "unsupported call: absent")


async def test_a_thread_works_on_the_environment_it_names(host: Any, model: Any, kit: Any) -> None:
    async def run(call: ToolCall, context: Any) -> ToolOutput:
        return ToolOutput((await context.environment()).id)

    scripted = model([{"call": "run", "call_id": "c"}], "done")
    machines = kit.plugin("machines", environments=lambda: [MemoryEnvironments("a"), MemoryEnvironments("b")])
    plugins = [kit.toolbox(kit.tool("run", run)), machines]

    await host(plugins=plugins, model=scripted, params={"config": {"environment": "b"}}).turn("go")

    assert scripted.output("c") == "b"


async def test_without_an_environment_a_tool_can_say_so(host: Any, model: Any, kit: Any) -> None:
    async def run(call: ToolCall, context: Any) -> ToolOutput:
        await context.environment()
        return ToolOutput("there is one")

    scripted = model([{"call": "run", "call_id": "c"}], "done")

    turn = await host(plugins=[kit.toolbox(kit.tool("run", run))], model=scripted).turn("go")

    assert scripted.output("c") == (
        "No usable execution environment is available. "
        "Wait for an environment to become available before using this tool."
    )
    warnings = [each.message for each in turn.notifications if isinstance(each, WarningNotice)]
    assert warnings == ["no environment to work in: no plugin offers an environment"]
