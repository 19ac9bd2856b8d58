"""The definitions of the tools for the model (names and order of Codex 0.118), and their calls as hooks see them."""

from __future__ import annotations

import json
from typing import Any

from codex_hookspecs.errors import ToolError
from codex_hookspecs.json_text import parse_json
from codex_hookspecs.tools import HookPayload, ToolCall


def _text(description: str) -> dict[str, str]:
    return {"type": "string", "description": description}


def _number(description: str) -> dict[str, str]:
    return {"type": "number", "description": description}


def _flag(description: str) -> dict[str, str]:
    return {"type": "boolean", "description": description}


def _function(name: str, description: str, properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {
        "type": "function",
        "name": name,
        "description": description,
        "strict": False,
        "parameters": {
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": False,
        },
    }


EXEC_COMMAND = _function(
    "exec_command",
    "Run a command in a shell. Gives back its output, and a session id if it is still running when the wait is over.",
    {
        "cmd": _text("The shell command to run."),
        "justification": _text(
            "Only with sandbox_permissions `require_escalated`: one short question to the user that says why the "
            "command has to run without sandbox."
        ),
        "login": _flag("Whether the shell is a login shell (-l). Default: true."),
        "max_output_tokens": _number("Most tokens of output to give back; the middle of longer output is cut out."),
        "prefix_rule": {
            "type": "array",
            "items": {"type": "string"},
            "description": (
                "Only with sandbox_permissions `require_escalated`: beginning of the command, word by word, that the "
                'user may allow for later commands too. Keep it narrow, e.g. ["npm", "test"].'
            ),
        },
        "sandbox_permissions": _text(
            "`use_default` (the default) runs in the sandbox; `require_escalated` asks for running without it."
        ),
        "shell": _text("Shell to run the command with. Default: the user's shell."),
        "tty": _flag(
            "Whether to run on a terminal, which keeps stdin open for write_stdin. Default: false, with plain pipes."
        ),
        "workdir": _text("Directory to run in. Default: the directory of the turn."),
        "yield_time_ms": _number("How long to wait for output, in milliseconds, before giving back what there is."),
    },
    ["cmd"],
)

WRITE_STDIN = _function(
    "write_stdin",
    "Write to a command that is still running, or with no characters just wait for it, and give back new output.",
    {
        "chars": _text("What to write to its stdin; may be empty to only look for new output."),
        "max_output_tokens": _number("Most tokens of output to give back; the middle of longer output is cut out."),
        "session_id": _number("The session id that exec_command gave."),
        "yield_time_ms": _number("How long to wait for output, in milliseconds, before giving back what there is."),
    },
    ["session_id"],
)


_ACCESS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "file_system": {
            "type": "object",
            "properties": {
                name: {"type": "array", "items": {"type": "string"}, "description": f"Absolute paths to {name}."}
                for name in ("read", "write")
            },
            "additionalProperties": False,
        },
        "network": {
            "type": "object",
            "properties": {"enabled": _flag("`true` asks for the network.")},
            "additionalProperties": False,
        },
    },
    "additionalProperties": False,
}

REQUEST_PERMISSIONS = _function(
    "request_permissions",
    "Ask the user for files or the network beyond the sandbox. What is granted holds for later commands of the turn, "
    "or of the session, without asking for it again.",
    {
        "permissions": _ACCESS,
        "reason": _text("Why they are needed, in one short sentence."),
    },
    ["permissions"],
)


def exec_command_spec(*, allow_additional: bool) -> dict[str, Any]:
    """Build the definition of ``exec_command``.

    :param allow_additional: single calls may ask for more than the sandbox policy allows.
    """
    if not allow_additional:
        return EXEC_COMMAND
    properties = {
        "additional_permissions": _ACCESS,
        **EXEC_COMMAND["parameters"]["properties"],
        "sandbox_permissions": _text(
            "`use_default` (the default) runs in the sandbox; `with_additional_permissions` asks for more of it, as "
            "additional_permissions says, and is to be preferred; `require_escalated` asks for running without it."
        ),
    }
    return {**EXEC_COMMAND, "parameters": {**EXEC_COMMAND["parameters"], "properties": properties}}


def to_hook_view(call: ToolCall) -> HookPayload | None:
    """Return a command as hooks see it, as ``Bash``; ``None`` for an invalid call."""
    arguments = _arguments(call)
    command, workdir = arguments.get("cmd"), arguments.get("workdir")
    if not isinstance(command, str):
        return None
    place = workdir if isinstance(workdir, str) and workdir else None
    return HookPayload(tool_name="Bash", tool_input={"command": command}, workdir=place)


def no_hook_view(call: ToolCall) -> None:
    """Return ``None``: hooks do not see writes to a command that they have seen."""


def from_hook_input(call: ToolCall, tool_input: Any) -> ToolCall:
    """Return the call with the command replaced by a hook's.

    :raises ToolError: when the hook's input has no string ``command``.
    """
    command = tool_input.get("command") if isinstance(tool_input, dict) else None
    if not isinstance(command, str):
        raise ToolError("hook returned updatedInput without string field `command`")
    arguments = {**_arguments(call), "cmd": command}
    return ToolCall(
        call_id=call.call_id,
        name=call.name,
        kind=call.kind,
        arguments=json.dumps(arguments, ensure_ascii=False),
        namespace=call.namespace,
    )


def _arguments(call: ToolCall) -> dict[str, Any]:
    try:
        found = parse_json(call.arguments)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
