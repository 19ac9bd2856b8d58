"""Methods for turns: start, steer, interrupt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_hookspecs.errors import RpcError
from codex_hookspecs.protocol import (
    ErrorNotice,
    Turn,
    TurnError,
    TurnInterruptResponse,
    TurnStartResponse,
    uuid7,
    uuid_fault,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

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

_OVERRIDES = (
    "cwd", "approval_policy", "approvals_reviewer", "sandbox_policy", "model", "service_tier", "effort", "summary",
    "personality", "output_schema", "collaboration_mode",
)  # fmt: skip

MAX_INPUT = 1 << 20
"""Maximum length of all texts of an input, in Unicode characters (0.118)."""


async def start(params: TurnStartParams, context: RpcContext) -> TurnStartResponse:
    """Start a turn, or add the input to the running one."""
    _check_length(params.input)
    thread = require_loaded(params.thread_id, context)
    if not params.input:
        return _reject_empty_turn(thread, context)
    turn_id = await thread.submit(_user_input(params.input), settings=_turn_settings(thread.settings, params))
    return TurnStartResponse(Turn(id=turn_id, status="inProgress"))


async def steer(params: TurnSteerParams, context: RpcContext) -> TurnSteerResponse:
    """Add a message to the running turn."""
    from codex_hookspecs.protocol import TurnSteerResponse

    thread = require_loaded(params.thread_id, context)
    if not params.expected_turn_id:
        raise RpcError("expectedTurnId must not be empty")
    _check_length(params.input)
    await thread.steer(_user_input(params.input), expected_turn_id=params.expected_turn_id)
    return TurnSteerResponse(params.expected_turn_id)


async def interrupt(params: TurnInterruptParams, context: RpcContext) -> TurnInterruptResponse:
    """Interrupt the running turn; its notifications follow the response."""
    thread = require_loaded(params.thread_id, context)
    active = thread.active_turn_id
    if active is None:
        raise RpcError("no active turn to interrupt")
    if not thread.is_running(params.turn_id):
        raise RpcError(f"expected active turn id `{params.turn_id}` but found `{active}`")
    context.after_response(lambda: _interrupt(thread, params.turn_id))
    return TurnInterruptResponse()


def check_id(thread_id: str) -> None:
    """Check the form of a thread id.

    :raises RpcError: when it is not a UUID.
    """
    if fault := uuid_fault(thread_id):
        raise RpcError(f"invalid thread id: {fault}")


def require_loaded(thread_id: str, context: RpcContext) -> LoadedThread:
    """Return a loaded thread.

    :raises RpcError: when no thread of that id is loaded.
    """
    check_id(thread_id)
    thread = context.host.threads.get(thread_id)
    if thread is None:
        raise RpcError(f"thread not found: {thread_id}")
    return thread


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


def _check_length(parts: Sequence[JsonObject]) -> None:
    """Check how long the texts of an input are together, in Unicode characters, as Codex 0.118 does.

    :raises RpcError: when they are longer than :data:`MAX_INPUT`.
    """
    length = sum(len(part["text"]) for part in parts if part["type"] == "text")
    if length > MAX_INPUT:
        data = {"input_error_code": "input_too_large", "max_chars": MAX_INPUT, "actual_chars": length}
        raise RpcError(f"Input exceeds the maximum length of {MAX_INPUT} characters.", code=-32602, data=data)


def _user_input(parts: Sequence[JsonObject]) -> list[JsonObject]:
    """Return the parts of a user message with default members."""
    return [
        {**part, "text_elements": part.get("text_elements") or []} if part["type"] == "text" else part for part in parts
    ]


def _turn_settings(settings: ThreadSettings, params: TurnStartParams) -> ThreadSettings:
    if settings.output_schema is None and all(getattr(params, name) is None for name in _OVERRIDES):
        return settings
    from codex_app_server.turns.overrides import with_overrides

    return with_overrides(settings, params)


async def _interrupt(thread: LoadedThread, turn_id: str) -> None:
    if thread.is_running(turn_id):
        await thread.interrupt(turn_id)
