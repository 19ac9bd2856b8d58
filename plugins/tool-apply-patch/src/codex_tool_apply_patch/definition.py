"""The tool's definition for the model, and the arguments of its calls."""

from __future__ import annotations

import json
import re
from typing import Any

from codex_hookspecs.errors import ToolError
from codex_hookspecs.json_text import parse_json
from codex_hookspecs.protocol import JsonObject
from codex_hookspecs.tools import HookPayload, ToolCall

NAME = "apply_patch"
FREEFORM_FEATURE = "apply_patch_freeform"
"""Feature that gives every model the free-form (grammar) variant of the tool."""
PROGRAMS = ("apply_patch", "applypatch")

GRAMMAR = """\
start: begin operation+ end
begin: "*** Begin Patch" LF
end: "*** End Patch" LF?

operation: add_file | delete_file | update_file
add_file: "*** Add File: " path LF added+
delete_file: "*** Delete File: " path LF
update_file: "*** Update File: " path LF moved? chunks?
moved: "*** Move to: " path LF
chunks: (anchor | line)+ at_end?

path: /(.+)/
added: "+" /(.*)/ LF
anchor: ("@@" | "@@ " /(.+)/) LF
line: (" " | "+" | "-") /(.*)/ LF
at_end: "*** End of File" LF

%import common.LF
"""

SPEC: JsonObject = {
    "type": "custom",
    "name": NAME,
    "description": (
        "Edit files with a patch: add, update, move and delete. Write the patch itself as input, not JSON. "
        "All of the patch is applied, or nothing of it."
    ),
    "format": {"type": "grammar", "syntax": "lark", "definition": GRAMMAR},
}


FUNCTION_SPEC: JsonObject = {
    "type": "function",
    "name": NAME,
    "description": (
        "Edit files with a patch: add, update, move and delete. All of the patch is applied, or nothing of it. The "
        "patch is a text in this form:\n\n"
        "*** Begin Patch\n"
        "*** Add File: path/of/a/new/file\n"
        "+every line of it\n"
        "*** Delete File: path/of/an/old/file\n"
        "*** Update File: path/of/a/file\n"
        "*** Move to: its/new/path\n"
        "@@ a line above the place, where it helps to find it\n"
        " a line that stays\n"
        "-a line that goes\n"
        "+a line that comes\n"
        "*** End Patch\n\n"
        "`*** Move to:` and the text after `@@` can be left out. Show about three lines that stay around each change. "
        "An update can have several places, a patch several files; paths are relative to the working directory."
    ),
    "strict": False,
    "parameters": {
        "type": "object",
        "properties": {"input": {"type": "string", "description": "The whole patch"}},
        "required": ["input"],
        "additionalProperties": False,
    },
}

_FREEFORM_MODELS = re.compile(r"(?:[^/]+/)?gpt-5(?:-codex|\.[1245]|\.3-codex)(?![0-9])")
"""Models that are known to support free-form tools; all others get a function."""


def spec_for(model: str) -> JsonObject:
    """Return the variant of the tool for a model."""
    return SPEC if _FREEFORM_MODELS.match(model) else FUNCTION_SPEC


def decode_arguments(call: ToolCall) -> tuple[str, str | None]:
    """Return the patch of a call, and its working directory if the call has one.

    :raises ToolError: when a function call's arguments are not ``{"input": text}``.
    """
    if call.kind == "custom":
        return call.arguments, None
    try:
        value = parse_json(call.arguments)
    except ValueError as error:
        raise ToolError(f"failed to parse function arguments: {error}") from error
    if not isinstance(value, dict) or "input" not in value:
        raise ToolError("failed to parse function arguments: missing field `input`")
    workdir = value.get("workdir")
    if not isinstance(value["input"], str) or not isinstance(workdir, str | None):
        raise ToolError("failed to parse function arguments: `input` and `workdir` must be strings")
    return value["input"], workdir


def to_hook_view(call: ToolCall) -> HookPayload | None:
    """Return a call as hooks see it, ``{"command": patch}``; ``None`` for an invalid call, which will fail."""
    try:
        patch, _ = decode_arguments(call)
    except ToolError:
        return None
    return HookPayload(tool_name=NAME, tool_input={"command": patch}, aliases=("Write", "Edit"))


def from_hook_input(call: ToolCall, value: Any) -> ToolCall:
    """Return the call with the patch replaced by a hook's.

    :raises ToolError: when the hook's input has no string ``command``.
    """
    patch = value.get("command") if isinstance(value, dict) else None
    if not isinstance(patch, str):
        raise ToolError("hook returned updatedInput for apply_patch without a string `command`")
    if call.kind == "custom":
        arguments = patch
    else:
        _, workdir = decode_arguments(call)
        arguments = json.dumps({"input": patch} | ({"workdir": workdir} if workdir is not None else {}))
    return ToolCall(call_id=call.call_id, name=call.name, kind=call.kind, arguments=arguments, namespace=call.namespace)
