"""Things that happen to a thread, told in order; answers add context, refuse, or send the agent back to work."""

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
"""Seconds for one implementation; runners of scripts with limits of their own mark themselves with ``time_limit``."""


@hook_event(timeout=TIME_LIMIT, merge="concat", refuses=True)
async def session_start(event: SessionStartEvent, scope: HookScope, host: Host) -> SessionStartVerdict | None:
    """Tell that the first turn of a started or resumed thread begins, before the prompt is recorded.

    :param event: the thread, and under ``source`` how it came to be.
    :param scope: reports runs and delivers context later.
    :param host: the running program.
    :return: contexts for the model, each a developer message just before the prompt; ``stop_reason`` ends the turn
        before any model request. ``None``: no opinion.

    Contexts of all answers are sent in order; the first ``stop_reason`` counts. A failure is shown and skipped.

    Example::

        from codex_hookspecs import SessionStartVerdict, hookimpl

        @hookimpl
        async def session_start(event):
            return SessionStartVerdict(contexts=("Today is the release; be careful.",))
    """


@hook_event(timeout=TIME_LIMIT, merge="any_block", refuses=True)
async def user_prompt_submit(event: UserPromptSubmitEvent, scope: HookScope, host: Host) -> UserPromptVerdict | None:
    """Tell that a prompt is about to enter the history.

    :param event: the prompt's text.
    :param scope: reports runs and delivers context later.
    :param host: the running program.
    :return: contexts, sent just after the prompt; ``block_reason`` refuses the prompt: no model request is made, the
        turn ends as completed, contexts stay. ``None``: no opinion.

    Contexts are joined, any block refuses, the first reason is shown. A failure is shown and skipped.

    Example::

        from codex_hookspecs import UserPromptVerdict, hookimpl

        @hookimpl
        async def user_prompt_submit(event):
            if "password" in event.prompt:
                return UserPromptVerdict(block_reason="Please don't paste passwords.")
    """


@hook_event(timeout=TIME_LIMIT, on_error="ask", merge="any_block", refuses=True)
async def pre_tool_use(event: PreToolUseEvent, scope: HookScope, host: Host) -> PreToolUseVerdict | None:
    """Tell that a tool is about to run.

    :param event: the tool and its input as hooks know them; shell tools are ``Bash`` with ``{"command": …}``.
    :param scope: reports runs and delivers context later.
    :param host: the running program.
    :return: ``deny_reason`` keeps the tool from running and tells the model why; ``ask_reason`` runs it only when a
        person agrees; ``updated_input`` runs it with other input; contexts come before the tool's output. ``None``: no
        opinion.

    Any denial wins, then any wish to ask; of several inputs the first counts. After a failure a person is asked about
    the call, and where nobody can be asked it is refused, unless ``hooks.fail_open`` names the event.

    Example::

        from codex_hookspecs import PreToolUseVerdict, hookimpl

        @hookimpl
        async def pre_tool_use(event):
            if event.tool_name == "Bash" and "git push" in event.tool_input["command"]:
                return PreToolUseVerdict.deny("Pushing is done by people here.")
    """


@hook_event(timeout=TIME_LIMIT, on_error="ask", merge="any_block", refuses=True)
async def permission_request(event: PermissionRequestEvent, scope: HookScope, host: Host) -> PermissionVerdict | None:
    """Tell that a person is about to be asked whether a tool may run.

    :param event: the tool and its input as hooks know them.
    :param scope: reports runs and delivers context later.
    :param host: the running program.
    :return: ``allow`` runs it without asking, ``deny`` refuses with a message for the model, ``ask`` has the person
        asked. ``None``: no opinion.

    Any denial wins, then any wish to ask, then any permission; without one the person is asked. After a failure the
    person is asked whatever others allow, unless ``hooks.fail_open`` names the event.

    Example::

        from codex_hookspecs import PermissionVerdict, hookimpl

        @hookimpl
        async def permission_request(event):
            if event.tool_input.get("command", "").startswith("make test"):
                return PermissionVerdict(behavior="allow")
    """


@hook_event(timeout=TIME_LIMIT, merge="concat", refuses=True)
async def post_tool_use(event: PostToolUseEvent, scope: HookScope, host: Host) -> PostToolUseVerdict | None:
    """Tell that a tool has run.

    :param event: the tool, its input and what it gave.
    :param scope: reports runs and delivers context later.
    :param host: the running program.
    :return: ``feedback`` replaces what the model reads, several joined by a blank line; contexts come before the
        output; ``stop_reason`` replaces the output too and the turn goes on. ``None``: no opinion.

    A failure is shown and skipped: the output stays.

    Example::

        from codex_hookspecs import PostToolUseVerdict, hookimpl

        @hookimpl
        async def post_tool_use(event):
            if "DeprecationWarning" in str(event.tool_response):
                return PostToolUseVerdict.block("Fix the deprecation warnings first.")
    """


@hook_event(timeout=TIME_LIMIT, merge="any_block")
async def stop(event: StopEvent, scope: HookScope, host: Host) -> StopVerdict | None:
    """Tell that the model ended its answer without calling a tool.

    :param event: the last message, and whether the turn already goes on because of a stop hook.
    :param scope: reports runs and delivers context later.
    :param host: the running program.
    :return: any prompt sends the agent back to work in the same turn: all prompts become one user message, one part
        each. ``stop_reason`` ends the turn whatever others say. ``None``: no opinion.

    A failure is shown and skipped. The number of times a turn can be sent on is limited (``hooks.max_stop_blocks``).

    Example::

        from codex_hookspecs import StopVerdict, hookimpl

        @hookimpl
        async def stop(event):
            if "TODO" in (event.last_assistant_message or "") and not event.stop_hook_active:
                return StopVerdict.block("Finish the TODOs you left.")
    """


@hook_event(timeout=TIME_LIMIT, merge="concat", not_called_yet=True)
async def subagent_start(event: SubagentStartEvent, scope: HookScope, host: Host) -> SubagentStartVerdict | None:
    """Tell that a subagent begins.

    :param event: ``agent_id`` and ``agent_type`` name the subagent, ``session_id`` its parent.
    :param scope: reports runs and delivers context later.
    :param host: the running program.
    :return: contexts for the subagent's model. ``None``: no opinion.

    Contexts are joined. A failure is shown and skipped.

    Example::

        from codex_hookspecs import SubagentStartVerdict, hookimpl

        @hookimpl
        async def subagent_start(event):
            return SubagentStartVerdict(contexts=("Answer in one paragraph.",))
    """


@hook_event(timeout=TIME_LIMIT, merge="any_block", not_called_yet=True)
async def subagent_stop(event: SubagentStopEvent, scope: HookScope, host: Host) -> StopVerdict | None:
    """Tell that a subagent ended its answer.

    :param event: its last message.
    :param scope: reports runs and delivers context later.
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
    """Tell that the history is about to be compacted.

    :param event: what triggered it.
    :param scope: reports runs and delivers context later.
    :param host: the running program.
    :return: ``stop_reason`` ends the turn instead. ``None``: no opinion.

    The first ``stop_reason`` counts. A failure is shown and skipped.

    Example::

        from codex_hookspecs import CompactVerdict, hookimpl

        @hookimpl
        async def pre_compact(event):
            if event.trigger == "auto":
                return CompactVerdict(stop_reason="Start a new thread instead.")
    """


@hook_event(timeout=TIME_LIMIT, merge="any_block", refuses=True, not_called_yet=True)
async def post_compact(event: CompactEvent, scope: HookScope, host: Host) -> CompactVerdict | None:
    """Tell that the history has been compacted.

    :param event: what triggered it.
    :param scope: reports runs and delivers context later.
    :param host: the running program.
    :return: ``stop_reason`` ends the turn. ``None``: no opinion.

    The first ``stop_reason`` counts. A failure is shown and skipped.

    Example::

        from codex_hookspecs import hookimpl

        @hookimpl
        async def post_compact(event):
            print("compacted", event.session_id)
    """


@hook_event(timeout=TIME_LIMIT, merge="concat")
async def interrupt(event: InterruptEvent, scope: HookScope, host: Host) -> InterruptVerdict | None:
    """Tell that the user interrupted a turn; no ``stop`` follows.

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
    """Tell that a thread is being unloaded or the program ends.

    :param event: the thread and the reason.
    :param scope: its thread, still readable.
    :param host: the running program.

    Observers run side by side; what they return is ignored, a failure is logged.

    Example::

        from codex_hookspecs import hookimpl

        @hookimpl
        async def session_end(event):
            print("bye", event.session_id)
    """


@hook_event(timeout=TIME_LIMIT, parallel=True)
async def pre_model_request(event: PreModelRequestEvent, scope: HookScope, host: Host) -> None:
    """Tell that a request to the model is about to be sent.

    :param event: thread, turn and model.
    :param scope: reports runs.
    :param host: the running program.

    Observers run side by side and the request waits for them; what they return is ignored, a failure is shown.

    Example::

        from codex_hookspecs import hookimpl

        @hookimpl
        async def pre_model_request(event):
            print("asking", event.model)
    """


@hook_event(timeout=TIME_LIMIT, parallel=True)
async def post_model_request(event: PostModelRequestEvent, scope: HookScope, host: Host) -> None:
    """Tell that a request to the model ended.

    :param event: how it ended and what it cost.
    :param scope: reports runs.
    :param host: the running program.

    Observers run side by side; what they return is ignored, a failure is shown.

    Example::

        from codex_hookspecs import hookimpl

        @hookimpl
        async def post_model_request(event):
            print(event.status, event.token_usage)
    """
