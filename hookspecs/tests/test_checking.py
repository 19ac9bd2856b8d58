"""What plugins answer and offer is refused when it is made and makes no sense."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from codex_hookspecs import (
    CliCommand,
    Fragment,
    PermissionVerdict,
    PostToolUseVerdict,
    PreToolUseVerdict,
    RpcMethod,
    SessionStartVerdict,
    StopVerdict,
    Tool,
    ToolOutput,
    UserPromptVerdict,
)
from codex_hookspecs.markers import time_limit
from codex_hookspecs.types.lifecycle import ContinuationPrompt, InterruptVerdict
from codex_hookspecs.types.models import Completed, ItemDone
from codex_hookspecs.types.notifications import HookEntry
from codex_hookspecs.types.sandbox import Launch
from codex_hookspecs.types.tools import HookPayload


async def run(*arguments: Any) -> Any:
    return None


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: PreToolUseVerdict.deny(None), "PreToolUseVerdict.deny: the reason is None, allowed is text"),
        (lambda: PreToolUseVerdict.ask(5), "PreToolUseVerdict.ask: the reason is 5, allowed is text"),
        (
            lambda: PreToolUseVerdict(deny_reason=True),
            "deny_reason is True, allowed is text or None",
        ),
        (lambda: PreToolUseVerdict(updated_input="ls"), "updated_input is 'ls', allowed is a table or None"),
        (
            lambda: PermissionVerdict(behavior="block"),
            "PermissionVerdict: behavior is 'block', allowed is one of 'allow', 'deny', 'ask' or None",
        ),
        (lambda: PermissionVerdict(behavior="deny", message=5), "message is 5, allowed is text or None"),
        (lambda: PermissionVerdict(behavior=["allow"]), "behavior is ['allow'], allowed is one of"),
        (lambda: SessionStartVerdict(contexts="hello"), "contexts is 'hello', allowed is a tuple of text"),
        (lambda: SessionStartVerdict(contexts=(1,)), "contexts is (1,), allowed is a tuple of text"),
        (lambda: SessionStartVerdict(stop_reason=False), "stop_reason is False, allowed is text or None"),
        (lambda: UserPromptVerdict(block_reason=True), "block_reason is True, allowed is text or None"),
        (lambda: PostToolUseVerdict.block(None), "feedback is (None,), allowed is a tuple of text"),
        (lambda: StopVerdict.block(None), "StopVerdict.block: the reason is None, allowed is text"),
        (lambda: StopVerdict(prompts=("go on",)), "prompts is ('go on',), allowed is a tuple of ContinuationPrompt"),
        (lambda: ContinuationPrompt(5), "text is 5, allowed is text"),
        (lambda: InterruptVerdict(system_message=5), "system_message is 5, allowed is text or None"),
        (
            lambda: Fragment(key="k", place="system", text="t"),
            "Fragment: place is 'system', allowed is one of 'base', 'developer', 'user'",
        ),
        (lambda: Fragment(key="k", place="user", text="t", order="a"), "Fragment: order is 'a', allowed is a number"),
        (lambda: Fragment(key="k", place="user", text="t", order=True), "Fragment: order is True, allowed is a number"),
        (lambda: Fragment(key=None, place="user", text="t"), "Fragment: key is None, allowed is text"),
        (lambda: Fragment(key="k", place="user", text=b"t"), "Fragment: text is b't', allowed is text"),
        (lambda: Tool(name="t", spec="t", run=run), "Tool: spec is 't', allowed is a table"),
        (lambda: Tool(name="", spec={}, run=run), "Tool: name is '', allowed are letters, digits, `_` and `-`"),
        (lambda: Tool(name="roll dice", spec={}, run=run), "Tool: name is 'roll dice', allowed are letters"),
        (lambda: Tool(name="r\x1b[2J", spec={}, run=run), "Tool: name is 'r\\x1b[2J', allowed are letters"),
        (lambda: Tool(name="würfeln", spec={}, run=run), "Tool: name is 'würfeln', allowed are letters"),
        (lambda: Tool(name="t", spec={}, run="run"), "Tool: run is 'run', allowed is a function"),
        (
            lambda: Tool(name="t", spec={}, run=run, hook_view={}),
            "Tool: hook_view is {}, allowed is a function or None",
        ),
        (lambda: ToolOutput(5), "ToolOutput: text is 5, allowed is text"),
        (lambda: ToolOutput("x", success="yes"), "ToolOutput: success is 'yes', allowed is true or false"),
        (lambda: ToolOutput(content="x"), "content is 'x', allowed is a tuple of a table or None"),
        (lambda: HookPayload(tool_name=5, tool_input={}), "HookPayload: tool_name is 5, allowed is text"),
        (lambda: HookPayload(tool_name="t", tool_input={}, aliases="Edit"), "aliases is 'Edit', allowed is a tuple"),
        (lambda: CliCommand(name="c", help="h", run=None), "CliCommand: run is None, allowed is a function"),
        (lambda: RpcMethod(name="a/b", params=5, handle=run), "RpcMethod: params is 5, allowed is"),
        (lambda: Launch(argv="ls", env={}), "Launch: argv is 'ls', allowed is a tuple of text"),
        (lambda: Launch(argv=("ls",), env={"A": 1}), "Launch: env is {'A': 1}, allowed is a table with text for text"),
        (lambda: Launch(argv=("ls",), env={1: "A"}), "Launch: env is {1: 'A'}, allowed is a table with text for text"),
        (lambda: HookEntry("note", "text"), "HookEntry: kind is 'note', allowed is one of"),
        (lambda: ItemDone("text"), "ItemDone: item is 'text', allowed is a table"),
        (lambda: Completed(5), "Completed: response_id is 5, allowed is text"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_with_what_is_allowed(make: Callable[[], Any], told: str) -> None:
    with pytest.raises(TypeError) as refused:
        make()

    assert told in str(refused.value)


def test_a_list_is_taken_where_a_tuple_belongs() -> None:
    assert SessionStartVerdict(contexts=["a", "b"]).contexts == ("a", "b")  # type: ignore[arg-type]


def test_a_text_without_end_is_cut_in_the_error() -> None:
    with pytest.raises(TypeError) as refused:
        Fragment(key="k", place="x" * 10_000, text="t")  # type: ignore[arg-type]

    assert len(str(refused.value)) < 200


def test_what_can_not_even_be_shown_is_refused_by_its_type() -> None:
    class Odd:
        def __repr__(self) -> str:
            raise ValueError

    with pytest.raises(TypeError, match="Fragment: text is Odd, allowed is text"):
        Fragment(key="k", place="user", text=Odd())  # type: ignore[arg-type]


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), "5", True])
def test_a_time_limit_that_is_no_time_is_refused(seconds: Any) -> None:
    with pytest.raises(TypeError, match=r"^time_limit: seconds is "):
        time_limit(seconds)
