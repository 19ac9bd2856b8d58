"""Methods for turns: start, steer, interrupt."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import attrs

from codex_app_server.threads.loading import check_id
from codex_hookspecs.errors import RpcError
from codex_hookspecs.protocol import ErrorNotice, Turn, TurnError, TurnInterruptResponse, TurnStartResponse, uuid7
from codex_hookspecs.wire import json_type_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from codex_hookspecs.host import LoadedThread
    from codex_hookspecs.protocol import (
        JsonObject,
        ThreadSettings,
        TurnInterruptParams,
        TurnStartParams,
        TurnSteerParams,
        TurnSteerResponse,
    )
    from codex_hookspecs.surface import RpcContext

_INPUTS: dict[Any, tuple[str, ...]] = {
    "text": ("text",),
    "image": ("url",),
    "localImage": ("path",),
    "skill": ("name", "path"),
    "mention": ("name", "path"),
}
_SETTINGS = {
    "approval_policy": "approval_policy",
    "approvals_reviewer": "approvals_reviewer",
    "model": "model",
    "service_tier": "service_tier",
    "effort": "reasoning_effort",
    "summary": "reasoning_summary",
    "personality": "personality",
    "collaboration_mode": "collaboration_mode",
}


async def start(params: TurnStartParams, context: RpcContext) -> TurnStartResponse:
    """Start a turn, or add the input to the running one."""
    thread = require_loaded(params.thread_id, context)
    if not params.input:
        return _reject_empty_turn(thread, context)
    turn_id = await thread.submit(check_user_input(params.input), settings=_turn_settings(thread.settings, params))
    return TurnStartResponse(Turn(id=turn_id, status="inProgress"))


async def steer(params: TurnSteerParams, context: RpcContext) -> TurnSteerResponse:
    """Add a message to the running turn."""
    from codex_hookspecs.protocol import TurnSteerResponse

    thread = require_loaded(params.thread_id, context)
    await thread.steer(check_user_input(params.input), expected_turn_id=params.expected_turn_id)
    return TurnSteerResponse(params.expected_turn_id)


async def interrupt(params: TurnInterruptParams, context: RpcContext) -> TurnInterruptResponse:
    """Interrupt the running turn; its notifications follow the response."""
    thread = require_loaded(params.thread_id, context)
    active = thread.active_turn_id
    if active is None:
        raise RpcError("no active turn to interrupt")
    if active != params.turn_id:
        raise RpcError(f"expected active turn id `{params.turn_id}` but found `{active}`")
    context.after_response(lambda: _interrupt(thread, params.turn_id))
    return TurnInterruptResponse()


def require_loaded(thread_id: str, context: RpcContext) -> LoadedThread:
    """Return a loaded thread.

    :raises RpcError: when no thread of that id is loaded.
    """
    check_id(thread_id)
    thread = context.host.threads.get(thread_id)
    if thread is None:
        raise RpcError(f"thread not found: {thread_id}")
    return thread


def check_user_input(parts: Sequence[JsonObject]) -> list[JsonObject]:
    """Validate the parts of a user message and add default members.

    :raises RpcError: when the type of a part is unknown, or a member is missing.
    """
    return [_check_part(part) for part in parts]


def _reject_empty_turn(thread: LoadedThread, context: RpcContext) -> TurnStartResponse:
    """Respond to a turn without input as Codex 0.118 does: with a turn that fails at once and never completes."""
    turn_id = uuid7()

    async def fail() -> None:
        if thread.active_turn_id is None:
            await thread.set_status({"type": "systemError"})
        error = TurnError("input must not be empty", "badRequest")
        await thread.notify(ErrorNotice(error=error, will_retry=False, thread_id=thread.id, turn_id=turn_id))

    context.after_response(fail)
    return TurnStartResponse(Turn(id=turn_id, status="inProgress"))


def _check_part(part: JsonObject) -> JsonObject:
    kind = part.get("type")
    if kind is None:
        raise RpcError("Invalid request: missing field `type`")
    if kind not in _INPUTS:
        allowed = ", ".join(f"`{known}`" for known in _INPUTS)
        raise RpcError(f"Invalid request: unknown variant `{kind}`, expected one of {allowed}")
    for name in _INPUTS[kind]:
        if name not in part:
            raise RpcError(f"Invalid request: missing field `{name}`")
        if not isinstance(part[name], str):
            raise RpcError(f"Invalid request: invalid type: {json_type_name(part[name])}, expected a string")
    return {**part, "text_elements": part.get("text_elements") or []} if kind == "text" else part


def _turn_settings(settings: ThreadSettings, params: TurnStartParams) -> ThreadSettings:
    """Return the thread's settings with the request's changes; an output schema applies to one turn only."""
    changes: dict[str, Any] = {
        target: value for name, target in _SETTINGS.items() if (value := getattr(params, name)) is not None
    }
    if params.cwd is not None:
        changes["cwd"] = os.path.join(settings.cwd, params.cwd)
    if params.sandbox_policy is not None:
        from codex_sandboxing.app_server_form import read_policy

        policy = read_policy(params.sandbox_policy)
        if policy.readable_roots is not None:
            raise RpcError("sandboxPolicy: restricted read access is not supported; use `fullAccess`")
        changes["sandbox"] = policy
    if params.output_schema is not None or settings.output_schema is not None:
        changes["output_schema"] = params.output_schema
    return attrs.evolve(settings, **changes) if changes else settings


async def _interrupt(thread: LoadedThread, turn_id: str) -> None:
    if thread.active_turn_id == turn_id:
        await thread.interrupt(turn_id)
