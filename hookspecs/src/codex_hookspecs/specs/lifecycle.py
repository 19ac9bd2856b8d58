"""Lifecycle events of a thread; verdicts add context, refuse, or continue the turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_hookspecs.markers import event as hook_event

if TYPE_CHECKING:
    from codex_hookspecs.ports.host import Host
    from codex_hookspecs.ports.threads import HookScope
    from codex_hookspecs.types.lifecycle import (
        CompactEvent,
        CompactVerdict,
        InterruptEvent,
        InterruptVerdict,
        PermissionRequestEvent,
        PermissionVerdict,
        PostModelRequestEvent,
        PostToolUseEvent,
        PostToolUseVerdict,
        PreModelRequestEvent,
        PreToolUseEvent,
        PreToolUseVerdict,
        SessionEndEvent,
        SessionStartEvent,
        SessionStartVerdict,
        StopEvent,
        StopVerdict,
        SubagentStartEvent,
        SubagentStartVerdict,
        SubagentStopEvent,
        UserPromptSubmitEvent,
        UserPromptVerdict,
    )


TIME_LIMIT = 60.0
"""Default time limit in seconds for one implementation; ``time_limit`` overrides it."""


@hook_event(timeout=TIME_LIMIT, merge="concat", refuses=True)
async def session_start(event: SessionStartEvent, scope: HookScope, host: Host) -> SessionStartVerdict | None:
    """Called before the first turn of a started or resumed thread, before the prompt is recorded.

    :param event: the thread; ``source`` says how it was started.
    :param scope: reports runs and adds context later.
    :param host: the running program.
    :return: contexts for the model, each a developer message directly before the prompt; ``stop_reason`` ends the turn
        before any model request. ``None``: no opinion.

    Contexts are sent in order; the first ``stop_reason`` is used. A failure is shown and skipped.

    Example::

        from codex_hookspecs import SessionStartVerdict, hookimpl

        @hookimpl
        async def session_start(event):
            return SessionStartVerdict(contexts=("Today is the release; be careful.",))
    """


@hook_event(timeout=TIME_LIMIT, merge="any_block", refuses=True)
async def user_prompt_submit(event: UserPromptSubmitEvent, scope: HookScope, host: Host) -> UserPromptVerdict | None:
    """Called before a prompt enters the history.

    :param event: the prompt's text.
    :param scope: reports runs and adds context later.
    :param host: the running program.
    :return: contexts, sent directly after the prompt; ``block_reason`` refuses the prompt: no model request is made,
        the turn completes, contexts are kept. ``None``: no opinion.

    Contexts are concatenated, any block refuses, the first reason is shown. A failure is shown and skipped.

    Example::

        from codex_hookspecs import UserPromptVerdict, hookimpl

        @hookimpl
        async def user_prompt_submit(event):
            if "password" in event.prompt:
                return UserPromptVerdict(block_reason="Please don't paste passwords.")
    """


@hook_event(timeout=TIME_LIMIT, on_error="ask", merge="any_block", refuses=True)
async def pre_tool_use(event: PreToolUseEvent, scope: HookScope, host: Host) -> PreToolUseVerdict | None:
    """Called before a tool runs.

    :param event: the tool and its input in the form for hooks; shell tools are ``Bash`` with ``{"command": …}``.
    :param scope: reports runs and adds context later.
    :param host: the running program.
    :return: ``deny_reason`` refuses the call, with the reason for the model; ``ask_reason`` requires the user's
        approval; ``updated_input`` replaces the input; contexts are sent before the tool's output. ``None``: no
        opinion.

    Any denial wins, then any ``ask_reason``; the first ``updated_input`` is used. After a failure the user is asked
    about the call, and if no client can be asked it is refused, unless ``hooks.fail_open`` names the event.

    Example::

        from codex_hookspecs import PreToolUseVerdict, hookimpl

        @hookimpl
        async def pre_tool_use(event):
            if event.tool_name == "Bash" and "git push" in event.tool_input["command"]:
                return PreToolUseVerdict.deny("Pushing is done by people here.")
    """


@hook_event(timeout=TIME_LIMIT, on_error="ask", merge="any_block", refuses=True)
async def permission_request(event: PermissionRequestEvent, scope: HookScope, host: Host) -> PermissionVerdict | None:
    """Called before the user is asked for an approval.

    :param event: the tool and its input in the form for hooks.
    :param scope: reports runs and adds context later.
    :param host: the running program.
    :return: ``allow`` approves without asking, ``deny`` refuses with a message for the model, ``ask`` asks the user.
        ``None``: no opinion.

    Any ``deny`` wins, then any ``ask``, then any ``allow``; without a verdict the user is asked. After a failure the
    user is asked even if others allow, unless ``hooks.fail_open`` names the event.

    Example::

        from codex_hookspecs import PermissionVerdict, hookimpl

        @hookimpl
        async def permission_request(event):
            if event.tool_input.get("command", "").startswith("make test"):
                return PermissionVerdict(behavior="allow")
    """


@hook_event(timeout=TIME_LIMIT, merge="concat", refuses=True)
async def post_tool_use(event: PostToolUseEvent, scope: HookScope, host: Host) -> PostToolUseVerdict | None:
    """Called after a tool has run.

    :param event: the tool, its input and its output.
    :param scope: reports runs and adds context later.
    :param host: the running program.
    :return: ``feedback`` replaces the output for the model, several joined by a blank line; contexts are sent before
        the output; ``stop_reason`` also replaces the output, and the turn continues. ``None``: no opinion.

    A failure is shown and skipped; the output is kept.

    Example::

        from codex_hookspecs import PostToolUseVerdict, hookimpl

        @hookimpl
        async def post_tool_use(event):
            if "DeprecationWarning" in str(event.tool_response):
                return PostToolUseVerdict.block("Fix the deprecation warnings first.")
    """


@hook_event(timeout=TIME_LIMIT, merge="any_block")
async def stop(event: StopEvent, scope: HookScope, host: Host) -> StopVerdict | None:
    """Called when the model completes a response without calling a tool.

    :param event: the last message, and whether the turn was already continued by a stop hook.
    :param scope: reports runs and adds context later.
    :param host: the running program.
    :return: prompts continue the turn: they become one user message, with one part each. ``stop_reason`` ends the turn
        regardless of prompts. ``None``: no opinion.

    A failure is shown and skipped. The number of continuations of a turn is limited (``hooks.max_stop_blocks``).

    Example::

        from codex_hookspecs import StopVerdict, hookimpl

        @hookimpl
        async def stop(event):
            if "TODO" in (event.last_assistant_message or "") and not event.stop_hook_active:
                return StopVerdict.block("Finish the TODOs you left.")
    """


@hook_event(timeout=TIME_LIMIT, merge="concat", not_called_yet=True)
async def subagent_start(event: SubagentStartEvent, scope: HookScope, host: Host) -> SubagentStartVerdict | None:
    """Reserved for the start of a subagent.

    :param event: ``agent_id`` and ``agent_type`` name the subagent, ``session_id`` its parent.
    :param scope: reports runs and adds context later.
    :param host: the running program.
    :return: contexts for the subagent's model. ``None``: no opinion.

    Contexts are concatenated. A failure is shown and skipped.

    Example::

        from codex_hookspecs import SubagentStartVerdict, hookimpl

        @hookimpl
        async def subagent_start(event):
            return SubagentStartVerdict(contexts=("Answer in one paragraph.",))
    """


@hook_event(timeout=TIME_LIMIT, merge="any_block", not_called_yet=True)
async def subagent_stop(event: SubagentStopEvent, scope: HookScope, host: Host) -> StopVerdict | None:
    """Reserved for the end of a subagent's response.

    :param event: its last message.
    :param scope: reports runs and adds context later.
    :param host: the running program.
    :return: as for ``stop``, for the subagent's turn. ``None``: no opinion.

    Merged as for ``stop``. A failure is shown and skipped.

    Example::

        from codex_hookspecs import StopVerdict, hookimpl

        @hookimpl
        async def subagent_stop(event):
            if not event.last_assistant_message and not event.stop_hook_active:
                return StopVerdict.block("Report what you found.")
    """


@hook_event(timeout=TIME_LIMIT, merge="any_block", refuses=True, not_called_yet=True)
async def pre_compact(event: CompactEvent, scope: HookScope, host: Host) -> CompactVerdict | None:
    """Reserved for the time before a compaction.

    :param event: the trigger.
    :param scope: reports runs and adds context later.
    :param host: the running program.
    :return: ``stop_reason`` ends the turn instead. ``None``: no opinion.

    The first ``stop_reason`` is used. A failure is shown and skipped.

    Example::

        from codex_hookspecs import CompactVerdict, hookimpl

        @hookimpl
        async def pre_compact(event):
            if event.trigger == "auto":
                return CompactVerdict(stop_reason="Start a new thread instead.")
    """


@hook_event(timeout=TIME_LIMIT, merge="any_block", refuses=True, not_called_yet=True)
async def post_compact(event: CompactEvent, scope: HookScope, host: Host) -> CompactVerdict | None:
    """Reserved for the time after a compaction.

    :param event: the trigger.
    :param scope: reports runs and adds context later.
    :param host: the running program.
    :return: ``stop_reason`` ends the turn. ``None``: no opinion.

    The first ``stop_reason`` is used. A failure is shown and skipped.

    Example::

        from codex_hookspecs import hookimpl

        @hookimpl
        async def post_compact(event):
            print("compacted", event.session_id)
    """


@hook_event(timeout=TIME_LIMIT, merge="concat")
async def interrupt(event: InterruptEvent, scope: HookScope, host: Host) -> InterruptVerdict | None:
    """Called when the user has interrupted a turn; ``stop`` is not called then.

    :param event: the turn.
    :param scope: reports runs.
    :param host: the running program.
    :return: a message for the user. ``None``: no opinion.

    The first message is shown. A failure is shown and skipped.

    Example::

        from codex_hookspecs import InterruptVerdict, hookimpl

        @hookimpl
        async def interrupt(event):
            return InterruptVerdict(system_message="The build is still running.")
    """


@hook_event(timeout=10.0, parallel=True)
async def session_end(event: SessionEndEvent, scope: HookScope, host: Host) -> None:
    """Called when a thread is unloaded or the program ends.

    :param event: the thread and the reason.
    :param scope: gives access to the thread, which can still be read.
    :param host: the running program.

    Observers run concurrently; results are ignored, a failure is logged.

    Example::

        from codex_hookspecs import hookimpl

        @hookimpl
        async def session_end(event):
            print("bye", event.session_id)
    """


@hook_event(timeout=TIME_LIMIT, parallel=True)
async def pre_model_request(event: PreModelRequestEvent, scope: HookScope, host: Host) -> None:
    """Called before a model request is sent.

    :param event: thread, turn and model.
    :param scope: reports runs.
    :param host: the running program.

    Observers run concurrently, and the request waits for them; results are ignored, a failure is shown.

    Example::

        from codex_hookspecs import hookimpl

        @hookimpl
        async def pre_model_request(event):
            print("asking", event.model)
    """


@hook_event(timeout=TIME_LIMIT, parallel=True)
async def post_model_request(event: PostModelRequestEvent, scope: HookScope, host: Host) -> None:
    """Called after a model request has ended.

    :param event: its status and token usage.
    :param scope: reports runs.
    :param host: the running program.

    Observers run concurrently; results are ignored, a failure is shown.

    Example::

        from codex_hookspecs import hookimpl

        @hookimpl
        async def post_model_request(event):
            print(event.status, event.token_usage)
    """
