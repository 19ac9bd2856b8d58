"""Put the questions that clients are asked for consent in wire form (app-server protocol v2, 0.118)."""

from __future__ import annotations

import time
from collections.abc import Sequence

from codex_hookspecs.types.json import JsonObject

COMMAND = "item/commandExecution/requestApproval"
PATCH = "item/fileChange/requestApproval"


def command_question(
    where: JsonObject,
    *,
    command: str,
    cwd: str,
    reason: str | None,
    amendment: Sequence[str],
    actions: Sequence[JsonObject] = (),
) -> JsonObject:
    """Ask whether a command may run.

    :param where: ``threadId``, ``turnId`` and ``itemId``.
    :param amendment: beginning of the commands that the client may allow from now on.
    """
    return {
        **where,
        "startedAtMs": time.time_ns() // 1_000_000,
        "reason": reason,
        "command": command,
        "cwd": cwd,
        "commandActions": list(actions),
        "proposedExecpolicyAmendment": list(amendment),
        "availableDecisions": [
            "accept",
            {"acceptWithExecpolicyAmendment": {"execpolicy_amendment": list(amendment)}},
            "cancel",
        ],
    }


def patch_question(where: JsonObject, *, reason: str | None) -> JsonObject:
    """Ask whether files may be changed.

    :param where: ``threadId``, ``turnId`` and ``itemId``.
    """
    return {**where, "startedAtMs": time.time_ns() // 1_000_000, "reason": reason, "grantRoot": None}


def decision_of(answer: object) -> str:
    """Return what a client decided: ``accept``, ``acceptForSession``, ``cancel``, else ``decline``."""
    decision = answer.get("decision") if isinstance(answer, dict) else None
    if isinstance(decision, dict) and decision.keys() & {
        "acceptWithExecpolicyAmendment",
        "applyNetworkPolicyAmendment",
    }:
        return "accept"
    return decision if isinstance(decision, str) and decision in ("accept", "acceptForSession", "cancel") else "decline"
