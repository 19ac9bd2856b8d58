"""Put the questions that clients are asked for consent in wire form (app-server protocol v2, 0.118)."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from codex_hookspecs.types.json import JsonObject

if TYPE_CHECKING:
    from codex_hookspecs.types.tools import HookPayload

COMMAND = "item/commandExecution/requestApproval"
PATCH = "item/fileChange/requestApproval"
INPUT = "item/tool/requestUserInput"
_ALLOW = "Allow"


def command_question(
    where: JsonObject,
    *,
    command: str,
    cwd: str,
    reason: str | None,
    amendment: Sequence[str] | None,
    actions: Sequence[JsonObject] = (),
    additional: JsonObject | None = None,
) -> JsonObject:
    """Ask whether a command may run.

    :param where: ``threadId``, ``turnId`` and ``itemId``.
    :param amendment: beginning of the commands that the client may allow from now on, ``None`` to offer none.
    :param additional: what the command wants beyond the sandbox policy.
    """
    offered: list[object] = ["accept"]
    if amendment is not None and additional is None:
        offered.append({"acceptWithExecpolicyAmendment": {"execpolicy_amendment": list(amendment)}})
    return {
        **where,
        "startedAtMs": time.time_ns() // 1_000_000,
        "reason": reason,
        "command": command,
        "cwd": cwd,
        "commandActions": list(actions),
        **({} if additional is None else {"additionalPermissions": additional}),
        "proposedExecpolicyAmendment": None if amendment is None else list(amendment),
        "availableDecisions": [*offered, "cancel"],
    }


def patch_question(where: JsonObject, *, reason: str | None) -> JsonObject:
    """Ask whether files may be changed.

    :param where: ``threadId``, ``turnId`` and ``itemId``.
    """
    return {**where, "startedAtMs": time.time_ns() // 1_000_000, "reason": reason, "grantRoot": None}


def call_question(where: JsonObject, payload: HookPayload, *, cwd: str, reason: str) -> tuple[str, JsonObject]:
    """Ask whether a tool may run, with the request that fits the tool.

    :param where: ``threadId``, ``turnId`` and ``itemId``.
    :param payload: the call as hooks see it.
    :return: method and parameters.
    """
    command = payload.tool_input.get("command") if isinstance(payload.tool_input, dict) else None
    if payload.tool_name == "Bash":
        shown = command if isinstance(command, str) else json.dumps(payload.tool_input, ensure_ascii=False)
        return COMMAND, command_question(where, command=shown, cwd=cwd, reason=reason, amendment=None)
    if payload.tool_name == "apply_patch" and isinstance(command, str):
        heads = [line[4:] for line in command.splitlines() if line.startswith("*** ") and " File: " in line]
        return PATCH, patch_question(where, reason="\n".join([reason, *heads]))
    shown = json.dumps(payload.tool_input, ensure_ascii=False)
    question = {
        "id": where["itemId"],
        "header": "Approval",
        "question": f"Run the tool {payload.tool_name} with {shown}?\n{reason}",
        "isOther": False,
        "isSecret": False,
        "options": [
            {"label": _ALLOW, "description": "Run this call."},
            {"label": "Decline", "description": "Do not run it; the agent goes on."},
        ],
    }
    return INPUT, {**where, "questions": [question]}


class Answer(NamedTuple):
    """What a client decided.

    :param decision: ``accept``, ``acceptForSession``, ``cancel`` or ``decline``.
    :param amendment: beginning of the commands that it allows from now on.
    """

    decision: str
    amendment: tuple[str, ...] | None = None


def answer_of(answer: object) -> Answer:
    """Return what a client decided; what is not understood declines."""
    if isinstance(answer, dict) and isinstance(answer.get("answers"), dict):
        chosen = [each.get("answers") for each in answer["answers"].values() if isinstance(each, dict)]
        return Answer("accept" if chosen == [[_ALLOW]] else "decline")
    decision = answer.get("decision") if isinstance(answer, dict) else None
    if isinstance(decision, dict):
        if "applyNetworkPolicyAmendment" in decision:
            return Answer("accept")
        given = decision.get("acceptWithExecpolicyAmendment")
        words = given.get("execpolicy_amendment") if isinstance(given, dict) else None
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            return Answer("decline")
        return Answer("accept", tuple(words) or None)
    known = isinstance(decision, str) and decision in ("accept", "acceptForSession", "cancel")
    return Answer(str(decision) if known else "decline")
