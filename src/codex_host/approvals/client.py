"""Ask the client for an approval and read its answer (app-server protocol v2, 0.118)."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from codex_hookspecs.errors import RpcError, ToolRejected
from codex_hookspecs.types.json import JsonObject
from codex_host.plugins.tasks import run_task

if TYPE_CHECKING:
    from codex_hookspecs.ports.threads import RequestHandler
    from codex_hookspecs.types.approvals import PermissionsApproval, PermissionsRequest
    from codex_hookspecs.types.grants import AdditionalPermissions
    from codex_hookspecs.types.tools import HookPayload

COMMAND = "item/commandExecution/requestApproval"
PATCH = "item/fileChange/requestApproval"
INPUT = "item/tool/requestUserInput"
PERMISSIONS = "item/permissions/requestApproval"
NO_CLIENT = "no client is connected that could approve it"
_ALLOW = "Allow"


def command_question(
    where: JsonObject,
    *,
    command: str,
    cwd: str,
    reason: str | None,
    amendment: Sequence[str] | None,
    actions: Sequence[JsonObject] = (),
    additional: AdditionalPermissions | None = None,
) -> tuple[str, JsonObject]:
    """Ask whether a command may run.

    :param where: ``threadId``, ``turnId`` and ``itemId``.
    :param amendment: command prefix that the client can allow permanently, ``None`` to offer none.
    :param additional: permissions that the command requests beyond the sandbox policy.
    :return: method and parameters.
    """
    more: JsonObject = {}
    if additional is not None:
        from codex_sandboxing.additional_form import write_additional

        more["additionalPermissions"] = write_additional(additional)
    offered: list[object] = ["accept"]
    if amendment is not None and additional is None:
        offered.append({"acceptWithExecpolicyAmendment": {"execpolicy_amendment": list(amendment)}})
    params: JsonObject = {
        **where,
        "startedAtMs": time.time_ns() // 1_000_000,
        "reason": reason,
        "command": command,
        "cwd": cwd,
        "commandActions": list(actions),
        **more,
        "proposedExecpolicyAmendment": None if amendment is None else list(amendment),
        "availableDecisions": [*offered, "cancel"],
    }
    return COMMAND, params


def patch_question(where: JsonObject, *, reason: str | None) -> tuple[str, JsonObject]:
    """Ask whether files may be changed.

    :param where: ``threadId``, ``turnId`` and ``itemId``.
    :return: method and parameters.
    """
    return PATCH, {**where, "startedAtMs": time.time_ns() // 1_000_000, "reason": reason, "grantRoot": None}


def permissions_question(where: JsonObject, request: PermissionsRequest, *, cwd: str) -> tuple[str, JsonObject]:
    """Ask for additional permissions for later commands.

    :param where: ``threadId``, ``turnId`` and ``itemId``.
    :param cwd: absolute directory of the turn.
    :return: method and parameters.
    """
    from codex_sandboxing.additional_form import write_additional

    asked = {"reason": request.reason, "permissions": write_additional(request.permissions)}
    return PERMISSIONS, {**where, "startedAtMs": time.time_ns() // 1_000_000, "cwd": cwd, **asked}


def read_grant(answer: object, wanted: AdditionalPermissions) -> PermissionsApproval:
    """Return what a client granted; an invalid answer grants nothing.

    :param wanted: what was requested.
    """
    from codex_hookspecs.types.approvals import PermissionsApproval
    from codex_sandboxing.additional_form import read_granted

    found = answer if isinstance(answer, dict) else {}
    scope: Literal["turn", "session"] = "session" if found.get("scope") == "session" else "turn"
    return PermissionsApproval(read_granted(found.get("permissions"), wanted), scope)


def call_question(where: JsonObject, payload: HookPayload, *, cwd: str, reason: str) -> tuple[str, JsonObject]:
    """Ask whether a tool may run, with the request for its kind of tool.

    :param where: ``threadId``, ``turnId`` and ``itemId``.
    :param payload: the call in the form for hooks.
    :return: method and parameters.
    """
    command = payload.tool_input.get("command") if isinstance(payload.tool_input, dict) else None
    if payload.tool_name == "Bash":
        description = command if isinstance(command, str) else json.dumps(payload.tool_input, ensure_ascii=False)
        return command_question(where, command=description, cwd=cwd, reason=reason, amendment=None)
    if payload.tool_name == "apply_patch" and isinstance(command, str):
        heads = [line[4:] for line in command.splitlines() if line.startswith("*** ") and " File: " in line]
        return patch_question(where, reason="\n".join([reason, *heads]))
    description = json.dumps(payload.tool_input, ensure_ascii=False)
    question = {
        "id": where["itemId"],
        "header": "Approval",
        "question": f"Run the tool {payload.tool_name} with {description}?\n{reason}",
        "isOther": False,
        "isSecret": False,
        "options": [
            {"label": _ALLOW, "description": "Run this call."},
            {"label": "Decline", "description": "Do not run it; the agent goes on."},
        ],
    }
    return INPUT, {**where, "questions": [question]}


class Answer(NamedTuple):
    """A client's decision.

    :param kind: ``abort`` also interrupts the turn.
    :param amendment: command prefix that is allowed permanently.
    :param valid: whether the answer was one of the protocol's; one that was not denies.
    """

    kind: Literal["allow", "allow_for_session", "deny", "abort"]
    amendment: tuple[str, ...] | None = None
    valid: bool = True


_ANSWERS = {
    "accept": Answer("allow"),
    "acceptForSession": Answer("allow_for_session"),
    "decline": Answer("deny"),
    "cancel": Answer("abort"),
}
_INVALID = Answer("deny", valid=False)


async def request_client(
    handler: RequestHandler | None,
    method: str,
    params: JsonObject,
    *,
    rejected: str = "rejected by user",
    reason: str | None = None,
) -> object:
    """Return the client's answer.

    :param rejected: text for the model if the answer is an error.
    :param reason: why approval is needed.
    :raises ToolRejected: when no client is connected, or the answer is an error.
    """
    if handler is None:
        text = NO_CLIENT if reason is None else f"{NO_CLIENT}; {reason}"
        raise ToolRejected(text, kind="cannot_ask", reason=None if reason is None else text)
    try:
        return await run_task(handler, method, params)
    except RpcError as error:
        raise ToolRejected(rejected, kind="unanswered") from error


def read_answer(answer: object) -> Answer:
    """Return a client's decision; an invalid answer denies."""
    if isinstance(answer, dict) and isinstance(answer.get("answers"), dict):
        chosen = [each.get("answers") for each in answer["answers"].values() if isinstance(each, dict)]
        return Answer("allow" if chosen == [[_ALLOW]] else "deny")
    decision = answer.get("decision") if isinstance(answer, dict) else None
    if isinstance(decision, dict):
        if "applyNetworkPolicyAmendment" in decision:
            return _network_answer(decision["applyNetworkPolicyAmendment"])
        given = decision.get("acceptWithExecpolicyAmendment")
        words = given.get("execpolicy_amendment") if isinstance(given, dict) else None
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            return _INVALID
        return Answer("allow", tuple(words) or None)
    return _ANSWERS.get(decision, _INVALID) if isinstance(decision, str) else _INVALID


def _network_answer(value: object) -> Answer:
    """Return the decision in a rule for a host; the rule itself is not kept."""
    rule = value.get("network_policy_amendment") if isinstance(value, dict) else None
    action = rule.get("action") if isinstance(rule, dict) and isinstance(rule.get("host"), str) else None
    return {"allow": Answer("allow"), "deny": Answer("deny")}.get(str(action), _INVALID)
