"""Calls that a hook leaves to a person, and gates that fail."""

from __future__ import annotations

from typing import Any

import pytest

from codex_hookspecs import PermissionVerdict, PreToolUseVerdict, ToolOutput
from codex_hookspecs.types.tools import HookPayload, ToolCall

RUN = [{"call": "run", "call_id": "c"}]


class Person:
    """Somebody who is asked and gives the same answer always."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: list[tuple[str, Any]] = []

    async def __call__(self, method: str, params: Any) -> Any:
        self.asked.append((method, params))
        return self.answer


def tool(kit: Any, payload: HookPayload | None = None, **hooks: Any) -> Any:
    """Return a plugin with one tool, shown to hooks in a certain way."""

    async def run(call: ToolCall, context: Any) -> ToolOutput:
        return ToolOutput("ran")

    shown = {} if payload is None else {"hook_view": lambda call: payload}
    return kit.toolbox(kit.tool("run", run, **shown), **hooks)


async def asking(event: Any) -> PreToolUseVerdict:
    return PreToolUseVerdict.ask("it looks odd")


async def denying(event: Any) -> PreToolUseVerdict:
    return PreToolUseVerdict.deny("never")


async def broken(event: Any) -> None:
    raise ValueError("broken")


async def turn(host: Any, scripted: Any, person: Person | None, *plugins: Any, **config: Any) -> Any:
    """Run a turn with somebody who answers."""
    run = host(plugins=list(plugins), model=scripted, config={"approval_policy": "on-request", **config})
    thread = await (await run.opened()).thread()
    thread.set_request_handler(person)
    return await run.turn("go")


BASH = HookPayload(tool_name="Bash", tool_input={"command": "make it"})
PATCH = HookPayload(
    tool_name="apply_patch", tool_input={"command": "*** Begin Patch\n*** Delete File: a\n*** End Patch"}
)


@pytest.mark.parametrize(
    ("payload", "method", "shown"),
    [
        (BASH, "item/commandExecution/requestApproval", {"command": "make it", "reason": "it looks odd"}),
        (PATCH, "item/fileChange/requestApproval", {"reason": "it looks odd\nDelete File: a"}),
    ],
)
@pytest.mark.parametrize(("decision", "output"), [("accept", "ran"), ("decline", "rejected by user")])
async def test_a_person_decides_about_a_call_that_a_hook_asks_about(
    host: Any, model: Any, kit: Any, payload: HookPayload, method: str, shown: Any, decision: str, output: str
) -> None:
    person, scripted = Person({"decision": decision}), model(RUN, "done")

    outcome = await turn(host, scripted, person, tool(kit, payload, pre_tool_use=asking))

    [(asked, params)] = person.asked
    assert asked == method
    assert {key: params[key] for key in shown} == shown
    assert params["itemId"] == "c"
    assert scripted.output("c") == output
    assert outcome.hooks("pre_tool_use")[0].entries == ["it looks odd"]


@pytest.mark.parametrize(("label", "output"), [("Allow", "ran"), ("Decline", "rejected by user")])
async def test_other_tools_are_asked_about_in_words(host: Any, model: Any, kit: Any, label: str, output: str) -> None:
    person, scripted = Person({"answers": {"c": {"answers": [label]}}}), model(RUN, "done")

    await turn(host, scripted, person, tool(kit, pre_tool_use=asking))

    [(method, params)] = person.asked
    assert method == "item/tool/requestUserInput"
    assert params["questions"][0]["question"] == "Run the tool run with {}?\nit looks odd"
    assert scripted.output("c") == output


@pytest.mark.parametrize(("policy", "connected"), [("never", True), ("on-request", False)])
async def test_what_nobody_can_be_asked_about_is_refused_with_the_reason(
    host: Any, model: Any, kit: Any, policy: str, connected: bool
) -> None:
    person, scripted = Person({"decision": "accept"}), model(RUN, "done")

    await turn(
        host, scripted, person if connected else None, tool(kit, BASH, pre_tool_use=asking), approval_policy=policy
    )

    assert person.asked == []
    assert scripted.output("c") == "Command blocked by PreToolUse hook: it looks odd. Command: make it"


async def test_a_denial_wins_over_a_wish_to_ask(host: Any, model: Any, kit: Any) -> None:
    person, scripted = Person({"decision": "accept"}), model(RUN, "done")

    await turn(host, scripted, person, tool(kit, BASH, pre_tool_use=asking), kit.plugin("denier", pre_tool_use=denying))

    assert person.asked == []
    assert "never" in scripted.output("c")


async def test_an_answer_that_cancels_ends_the_turn(host: Any, model: Any, kit: Any) -> None:
    outcome = await turn(host, model(RUN, "done"), Person({"decision": "cancel"}), tool(kit, BASH, pre_tool_use=asking))

    assert outcome.turn.status == "interrupted"


@pytest.mark.parametrize(("decision", "output"), [("accept", "ran"), ("decline", "rejected by user")])
async def test_a_person_is_asked_when_a_gate_fails(host: Any, model: Any, kit: Any, decision: str, output: str) -> None:
    person, scripted = Person({"decision": decision}), model(RUN, "done")

    await turn(host, scripted, person, tool(kit, BASH, pre_tool_use=broken))

    [(_, params)] = person.asked
    assert "pre_tool_use raised ValueError: broken" in params["reason"]
    assert scripted.output("c") == output


async def test_a_failed_gate_refuses_where_nobody_can_be_asked(host: Any, model: Any, kit: Any) -> None:
    scripted = model(RUN, "done")

    await turn(host, scripted, None, tool(kit, BASH, pre_tool_use=broken), approval_policy="never")

    assert "pre_tool_use raised ValueError: broken" in scripted.output("c")


async def test_a_person_is_asked_when_one_permission_hook_fails_and_another_allows(
    host: Any, model: Any, kit: Any
) -> None:
    async def allowing(event: Any) -> PermissionVerdict:
        return PermissionVerdict(behavior="allow")

    person, scripted = Person({"decision": "decline"}), model(RUN, "done")

    await turn(
        host, scripted, person,
        tool(kit, BASH, pre_tool_use=asking),
        kit.plugin("broken", permission_request=broken),
        kit.plugin("allowing", permission_request=allowing),
    )  # fmt: skip

    assert len(person.asked) == 1
    assert scripted.output("c") == "rejected by user"


@pytest.mark.parametrize("name", ["PreToolUse", "pre_tool_use"])
async def test_gates_may_be_set_to_fail_open(host: Any, model: Any, kit: Any, name: str) -> None:
    scripted = model(RUN, "done")

    await turn(
        host, scripted, None, tool(kit, BASH, pre_tool_use=broken),
        approval_policy="never", **{"hooks.fail_open": [name]},
    )  # fmt: skip

    assert scripted.output("c") == "ran"


@pytest.mark.parametrize("name", ["PreToolUse", "pre_tool_use"])
async def test_gates_may_be_set_to_fail_closed(host: Any, model: Any, kit: Any, name: str) -> None:
    person, scripted = Person({"decision": "accept"}), model(RUN, "done")

    await turn(host, scripted, person, tool(kit, BASH, pre_tool_use=broken), **{"hooks.fail_closed": [name]})

    assert person.asked == []
    assert "pre_tool_use raised ValueError: broken" in scripted.output("c")


REFUSING = {
    "session_start", "user_prompt_submit", "pre_tool_use", "permission_request", "post_tool_use",
    "pre_compact", "post_compact", "command_policy",
}  # fmt: skip


@pytest.mark.parametrize(
    "name", ["Stop", "subagent_stop", "SubagentStart", "Interrupt", "SessionEnd", "PreModelRequest"]
)
async def test_an_event_that_has_nothing_to_refuse_is_told(host: Any, model: Any, kit: Any, name: str) -> None:
    outcome = await turn(host, model("done"), None, **{"hooks.fail_closed": [name, "PreToolUse", "SessionStart"]})

    [text] = [text for text in outcome.warnings if "fail_closed" in text]
    before, _, events = text.partition("; events that have: ")
    assert before == f"hooks.fail_closed names {name!r}, which has nothing to refuse"
    assert set(events.split(", ")) == REFUSING


@pytest.mark.parametrize("key", ["hooks.fail_open", "hooks.fail_closed"])
async def test_a_name_that_is_no_event_is_told(host: Any, model: Any, kit: Any, key: str) -> None:
    outcome = await turn(host, model("done"), None, **{key: ["PreToolUs"]})

    assert f"{key} names 'PreToolUs', which is no event (did you mean 'pre_tool_use'?); it has no effect" in (
        outcome.warnings
    )
