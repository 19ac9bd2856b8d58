"""Settings that ``turn/start`` changes, for its turn and those after it (app-server protocol v2, 0.118 and 0.169)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

import attrs

from codex_hookspecs.errors import RpcError
from codex_hookspecs.protocol import CLEARED, CollaborationMode

if TYPE_CHECKING:
    from codex_hookspecs.protocol import JsonObject, ThreadSettings, TurnStartParams

_SETTINGS: Final = {
    "approval_policy": "approval_policy",
    "approvals_reviewer": "approvals_reviewer",
    "model": "model",
    "service_tier": "service_tier",
    "effort": "reasoning_effort",
    "summary": "reasoning_summary",
    "personality": "personality",
}
_WORDS: Final = {
    "approvals_reviewer": ("user", "guardian_subagent", "auto_review"),
    "summary": ("auto", "concise", "detailed", "none"),
    "personality": ("none", "friendly", "pragmatic"),
}


def with_overrides(settings: ThreadSettings, params: TurnStartParams) -> ThreadSettings:
    """Return the thread's settings with the request's changes; an output schema applies to one turn only.

    :raises RpcError: when a value is invalid or not supported.
    """
    check_words(params)
    if params.effort == "":
        raise RpcError("Invalid request: reasoning_effort must not be empty")
    changes: dict[str, Any] = {
        target: None if value is CLEARED else value
        for name, target in _SETTINGS.items()
        if (value := getattr(params, name)) is not None
    }
    if params.cwd is not None:
        changes["cwd"] = _directory(settings, params.cwd)
    if params.sandbox_policy is not None:
        from codex_sandboxing.app_server_form import read_policy

        policy = read_policy(params.sandbox_policy)
        if policy.readable_roots is not None:
            raise RpcError("sandboxPolicy: restricted read access is not supported; use `fullAccess`")
        changes["sandbox"] = policy
    if params.output_schema is not None or settings.output_schema is not None:
        changes["output_schema"] = params.output_schema
    if params.collaboration_mode is not None:
        changes.update(_mode_changes(params.collaboration_mode))
    return attrs.evolve(settings, **changes) if changes else settings


def _directory(settings: ThreadSettings, given: str) -> str:
    """Return the new directory of a thread; on a remote environment it is checked when it is used.

    :raises RpcError: when there is no such directory.
    """
    directory = os.path.normpath(os.path.join(settings.cwd, given))
    if settings.environment is None and not os.path.isdir(directory):
        raise RpcError(f"working directory {directory} does not exist or is not a directory")
    return directory


def _mode_changes(given: JsonObject) -> dict[str, Any]:
    """Return the changes of a collaboration mode, whose model and reasoning effort win over other members."""
    from codex_hookspecs.wire import decode

    chosen = decode(CollaborationMode, given).settings
    changes: dict[str, Any] = {"collaboration_mode": given, "reasoning_effort": chosen.reasoning_effort}
    if chosen.model:
        changes["model"] = chosen.model
    return changes


def check_words(params: object) -> None:
    """Check the members of a request that must be one of some words, if it has them.

    :raises RpcError: when one is not.
    """
    for name, allowed in _WORDS.items():
        value = getattr(params, name, None)
        if value is not None:
            _check_word(value, allowed)


def _check_word(value: object, allowed: tuple[str, ...]) -> None:
    """Check that a value is one of some words.

    :raises RpcError: when it is not.
    """
    if value not in allowed:
        names = [f"`{word}`" for word in allowed]
        expected = " or ".join(names) if len(names) == 2 else f"one of {', '.join(names)}"
        raise RpcError(f"Invalid request: unknown variant `{value}`, expected {expected}")
