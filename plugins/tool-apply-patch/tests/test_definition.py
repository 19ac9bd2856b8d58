"""How the tool is offered, and how hooks see its calls."""

from types import SimpleNamespace

import pytest

from codex_hookspecs.errors import ToolError
from codex_hookspecs.tools import HookPayload, ToolCall
from codex_tool_apply_patch.definition import from_hook_input, to_hook_view
from codex_tool_apply_patch.plugin import tools

CUSTOM = ToolCall(call_id="c", name="apply_patch", kind="custom", arguments="*** Begin Patch")
FUNCTION = ToolCall(call_id="c", name="apply_patch", arguments='{"input":"*** Begin Patch","workdir":"sub"}')


def offered(*features):
    (tool,) = tools(SimpleNamespace(features=SimpleNamespace(enabled=features.__contains__)))
    return tool


@pytest.mark.parametrize(
    "model",
    [
        "gpt-5-codex",
        "gpt-5.1",
        "gpt-5.1-codex-mini",
        "gpt-5.2",
        "gpt-5.3-codex",
        "gpt-5.4",
        "gpt-5.5",
        "openai/gpt-5.2",
    ],
)
def test_a_model_that_is_known_to_take_one_is_offered_a_free_text_tool_with_a_grammar(model):
    tool = offered()
    spec = tool.spec_for(model)

    assert spec["type"] == "custom"
    assert spec["format"].keys() == {"type", "syntax", "definition"}
    assert tool.emits_own_items
    assert not tool.parallel


@pytest.mark.parametrize(
    "model",
    ["gpt-oss:20b", "openai/gpt-oss-20b", "gpt-5", "gpt-5-mini", "gpt-5.10", "gpt-4.1", "o3", "m", "my-gpt-5.1"],
)
def test_any_other_model_is_offered_a_function(model):
    spec = offered().spec_for(model)

    assert (spec["type"], spec["name"]) == ("function", "apply_patch")
    assert spec["parameters"]["required"] == ["input"]


def test_the_feature_offers_the_free_text_tool_to_every_model():
    tool = offered("apply_patch_freeform")

    assert tool.spec_for is None
    assert tool.spec["type"] == "custom"


@pytest.mark.parametrize("call", [CUSTOM, FUNCTION])
def test_hooks_see_the_patch_as_a_command(call):
    assert to_hook_view(call) == HookPayload(
        tool_name="apply_patch", tool_input={"command": "*** Begin Patch"}, aliases=("Write", "Edit")
    )


def test_hooks_do_not_see_a_call_that_can_not_be_read():
    assert to_hook_view(ToolCall(call_id="c", name="apply_patch", arguments="{")) is None


def test_a_hook_can_put_another_patch_in_place():
    assert from_hook_input(CUSTOM, {"command": "other"}).arguments == "other"
    assert from_hook_input(FUNCTION, {"command": "other"}).arguments == '{"input": "other", "workdir": "sub"}'


@pytest.mark.parametrize("value", [None, {}, {"command": 1}, "text"])
def test_a_hook_must_give_a_patch(value):
    with pytest.raises(ToolError, match="without a string `command`"):
        from_hook_input(CUSTOM, value)
