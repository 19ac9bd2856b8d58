"""Run the tool calls of one response, with the hooks around each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from codex_hookspecs.errors import CodexError, ToolError, ToolRejected
from codex_hookspecs.json_text import TooDeep, parse_json
from codex_hookspecs.types.tools import ToolOutput
from codex_hookspecs.values import frozen
from codex_host.plugins.failures import text_for_model
from codex_host.plugins.signatures import InvalidResult
from codex_host.plugins.tasks import run_task
from codex_host.session.hook_payloads import denied, dynamic_item, payload_of, rewritten, shown
from codex_host.session.response_items import OutputBudget, call_output, message
from codex_host.session.tool_context import CallContext

if TYPE_CHECKING:
    from codex_hookspecs.types.json import JsonObject
    from codex_hookspecs.types.lifecycle import PreToolUseVerdict
    from codex_hookspecs.types.tools import HookPayload, Tool, ToolCall
    from codex_host.plugins.places import Places
    from codex_host.session.turn_state import TurnState

CLEAN_UP = 10.0
"""Seconds that a cancelled tool may take to put things in order before it is left behind."""


class TurnInterrupted(Exception):
    """Ends a turn as interrupted: a client's answer to a question cancelled it."""


@frozen
class Answered:
    """What the model gets for one call: contexts of hooks, then the output."""

    contexts: tuple[str, ...]
    output: ToolOutput


async def run_calls(turn: TurnState, calls: Sequence[ToolCall]) -> None:
    """Run calls, parallel tools side by side, and answer the model in the order of the calls.

    :raises TurnInterrupted: when a client's answer cancelled the turn.
    """
    answers: list[Answered | None] = [None] * len(calls)
    recorded = 0
    lock = asyncio.Lock()

    async def answer(index: int) -> None:
        nonlocal recorded
        answers[index] = await _answer(turn, calls[index])
        async with lock:
            while recorded < len(calls) and (ready := answers[recorded]) is not None:
                await _record(turn, calls[recorded], ready)
                recorded += 1

    for batch in _batches(turn, calls):
        if len(batch) == 1:
            await answer(batch[0])
            continue
        try:
            async with asyncio.TaskGroup() as group:
                for index in batch:
                    group.create_task(answer(index))
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from failures


def _batches(turn: TurnState, calls: Sequence[ToolCall]) -> list[list[int]]:
    """Group neighbouring calls of parallel tools."""
    batches: list[list[int]] = []
    open_batch = False
    for index, call in enumerate(calls):
        tool = turn.thread.tools.get(call.name)
        parallel = tool is not None and tool.parallel
        if parallel and open_batch:
            batches[-1].append(index)
        else:
            batches.append([index])
        open_batch = parallel
    return batches


async def _record(turn: TurnState, call: ToolCall, answered: Answered) -> None:
    budget = OutputBudget(turn.model_info, turn.thread.config.get("tool_output_token_limit"))
    items: list[JsonObject] = [message("developer", text) for text in answered.contexts]
    await turn.thread.remember(turn.id, *items, call_output(call, answered.output, budget))


async def _answer(turn: TurnState, call: ToolCall) -> Answered:
    tool = turn.thread.tools.get(call.name)
    if tool is None:
        kind = "custom tool call" if call.kind == "custom" else "call"
        return Answered((), ToolOutput(f"unsupported {kind}: {call.name}", success=False))
    contexts: tuple[str, ...] = ()
    payload = None
    try:
        _refuse_deep(call)
        payload = payload_of(tool, call)
        if payload is not None and turn.thread.hooks.pre_tool_use.enabled(turn.thread):
            verdict = await _before(turn, call, payload)
            contexts = verdict.contexts
            refusal = verdict.deny_reason if verdict.deny_reason is not None else verdict.stop_reason
            if refusal is not None:
                raise _denied(payload, refusal)
            if verdict.updated_input is not None:
                call = rewritten(tool, call, verdict.updated_input)
                payload = payload_of(tool, call)
            if verdict.ask_reason is not None and payload is not None:
                await _have_confirmed(turn, call, payload, verdict.ask_reason)
    except ToolRejected as error:
        return Answered(contexts, await _refused(turn, call, payload, error))
    except ToolError as error:
        return Answered(contexts, ToolOutput(str(error), success=False))
    output, failed = await _run_tool(turn, tool, call)
    if output.finishes is not None and (tool := turn.thread.tools.get(output.finishes.name)) is not None:
        call = output.finishes
        payload = payload_of(tool, call)
    if payload is None or failed or output.unfinished or not turn.thread.hooks.post_tool_use.enabled(turn.thread):
        return Answered(contexts, output)
    return await _after(turn, call, payload, output, contexts)


def _refuse_deep(call: ToolCall) -> None:
    """Refuse arguments that are nested so deep that hooks and tools could not walk through them.

    :raises ToolError: when they are; what else is wrong with them is the tool's to say.
    """
    if call.kind == "custom":
        return
    try:
        parse_json(call.arguments)
    except TooDeep as error:
        raise ToolError(f"failed to parse function arguments: {error}") from error
    except ValueError:
        return


async def _run_tool(turn: TurnState, tool: Tool, call: ToolCall) -> tuple[ToolOutput, bool]:
    """Run one tool and return its output, and whether it failed.

    :raises TurnInterrupted: when a client's answer cancelled the turn.
    """
    context = CallContext(turn, call)
    started = time.monotonic()
    if not tool.emits_own_items:
        await context.start_item(dynamic_item(call))
    failed = False

    async def left_behind(places: Places) -> None:
        owner = turn.thread.tool_owners.get(call.name, "")
        await turn.thread.warn(turn.thread.failures.report_left_behind(f"tool {call.name}", owner, places, tool.run))

    try:
        output = await run_task(tool.run, call, context, grace=CLEAN_UP, on_left_behind=left_behind)
        if not isinstance(output, ToolOutput):
            raise InvalidResult(f"returned {type(output).__name__}, not ToolOutput")
    except Exception as error:
        output, failed = await _failure(turn, tool, call, error, declined=context.declined), True
    if not tool.emits_own_items:
        await context.complete_item(dynamic_item(call, output, int((time.monotonic() - started) * 1000)))
    return output, failed


async def _failure(turn: TurnState, tool: Tool, call: ToolCall, error: Exception, *, declined: bool) -> ToolOutput:
    """Return what the model is told of a tool that raised.

    :param declined: an item has told clients that the call was declined.
    """
    if isinstance(error, ToolRejected):
        return await _refused(turn, call, payload_of(tool, call), error, declined=declined)
    if isinstance(error, CodexError):
        return ToolOutput(str(error), success=False)
    owner = turn.thread.tool_owners.get(call.name, "")
    await turn.thread.warn(turn.thread.failures.report(f"tool {call.name}", owner, error, tool.run))
    return ToolOutput(f"tool {call.name} {text_for_model(error)}", success=False)


async def _refused(
    turn: TurnState, call: ToolCall, payload: HookPayload | None, error: ToolRejected, *, declined: bool = False
) -> ToolOutput:
    """Tell people of a call that was refused and return what the model is told.

    :param declined: an item has told clients so, which is enough for those who were there to be asked.
    :raises TurnInterrupted: when a client's answer cancelled the turn.
    """
    if not declined or turn.thread.clients.request_handler is None:
        from codex_host.session.refusals import tell_refused

        await tell_refused(turn, call, payload, error)
    if error.kind == "aborted":
        raise TurnInterrupted from error
    return ToolOutput(str(error), success=False)


def _denied(payload: HookPayload, reason: str) -> ToolRejected:
    """Return the refusal of a hook."""
    return ToolRejected(denied(payload, reason), kind="denied", reason=reason)


async def _before(turn: TurnState, call: ToolCall, payload: HookPayload) -> PreToolUseVerdict:
    from codex_hookspecs.types.lifecycle import PreToolUseEvent

    event = PreToolUseEvent(
        **turn.event_fields(),
        **shown(payload, turn.settings.cwd),
        tool_use_id=call.call_id,
    )
    return await turn.thread.hooks.pre_tool_use(event, turn.scope())


async def _have_confirmed(turn: TurnState, call: ToolCall, payload: HookPayload, reason: str) -> None:
    """Return when a person agrees to a call that a hook asks about.

    :raises ToolRejected: when that person does not, or nobody can be asked.
    """
    if turn.settings.approval_policy == "never" or turn.thread.clients.request_handler is None:
        raise _denied(payload, reason)
    from codex_host.approvals.approvals import Approvals

    await Approvals(turn).confirm(call, payload, reason=reason)


async def _after(
    turn: TurnState, call: ToolCall, payload: HookPayload, output: ToolOutput, contexts: tuple[str, ...]
) -> Answered:
    from codex_hookspecs.types.lifecycle import PostToolUseEvent

    event = PostToolUseEvent(
        **turn.event_fields(),
        **shown(payload, turn.settings.cwd),
        tool_response=output.text if output.hook_response is None else output.hook_response,
        tool_use_id=call.call_id,
    )
    verdict = await turn.thread.hooks.post_tool_use(event, turn.scope())
    replaced = "\n\n".join(verdict.feedback) if verdict.feedback else verdict.stop_reason
    if replaced is not None:
        output = ToolOutput(replaced, success=output.success)
    return Answered(contexts + verdict.contexts, output)
