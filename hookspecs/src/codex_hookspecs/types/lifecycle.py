"""Events and verdicts of lifecycle hooks."""

from __future__ import annotations

from typing import Any, Literal, Self

from codex_hookspecs.types._checking import Checked, reason_of
from codex_hookspecs.types.json import JsonObject
from codex_hookspecs.types.threads import TokenUsage
from codex_hookspecs.values import frozen

PermissionMode = Literal["default", "acceptEdits", "plan", "dontAsk", "bypassPermissions"]


@frozen(kw_only=True)
class LifecycleEvent:
    """Base of all events, with the common fields.

    :param session_id: the thread; for a subagent the parent's.
    :param turn_id: the turn, or ``None`` outside of one.
    :param transcript_path: file of the thread's rollout, or ``None``.
    :param cwd: absolute working directory of the turn.
    :param model: name of the thread's model.
    :param permission_mode: approval policy in the terms of hook scripts.
    :param agent_id: thread of the subagent in which the event happens, or ``None``.
    :param agent_type: kind of that subagent, or ``None``.
    """

    session_id: str
    turn_id: str | None = None
    transcript_path: str | None = None
    cwd: str
    model: str = ""
    permission_mode: PermissionMode = "default"
    agent_id: str | None = None
    agent_type: str | None = None


@frozen(kw_only=True)
class SessionStartEvent(LifecycleEvent):
    """The first turn of a loaded thread starts.

    :param source: how the thread was started.
    """

    source: Literal["startup", "resume", "clear", "compact"] = "startup"


@frozen(kw_only=True)
class UserPromptSubmitEvent(LifecycleEvent):
    """The user's prompt is about to enter the history.

    :param prompt: text of the prompt.
    """

    prompt: str


@frozen(kw_only=True)
class PreToolUseEvent(LifecycleEvent):
    """A tool is about to run.

    :param tool_name: name of the tool for hooks: ``Bash`` for every shell tool, else its own name.
    :param tool_input: ``{"command": …}`` for shell tools and patches, else the arguments.
    :param tool_use_id: id of the call.
    :param matcher_aliases: further names that a matcher may use, e.g. ``Write`` and ``Edit`` for a patch.
    :param workdir: absolute working directory of the call, if it is not that of the turn.
    """

    tool_name: str
    tool_input: Any
    tool_use_id: str
    matcher_aliases: tuple[str, ...] = ()
    workdir: str | None = None


@frozen(kw_only=True)
class PermissionRequestEvent(LifecycleEvent):
    """The user is about to be asked for an approval.

    :param tool_name: as in ``pre_tool_use``.
    :param tool_input: as in ``pre_tool_use``.
    :param tool_use_id: id of the call.
    :param matcher_aliases: further names that a matcher may use.
    :param workdir: absolute working directory of the call, if it is not that of the turn.
    """

    tool_name: str
    tool_input: Any
    tool_use_id: str = ""
    matcher_aliases: tuple[str, ...] = ()
    workdir: str | None = None


@frozen(kw_only=True)
class PostToolUseEvent(LifecycleEvent):
    """A tool has run.

    :param tool_name: as in ``pre_tool_use``.
    :param tool_input: as in ``pre_tool_use``, after replacement by a hook.
    :param tool_response: the tool's output; for shell tools the plain output text.
    :param tool_use_id: id of the call.
    :param matcher_aliases: further names that a matcher may use.
    :param workdir: absolute working directory of the call, if it is not that of the turn.
    """

    tool_name: str
    tool_input: Any
    tool_response: Any
    tool_use_id: str
    matcher_aliases: tuple[str, ...] = ()
    workdir: str | None = None


@frozen(kw_only=True)
class StopEvent(LifecycleEvent):
    """The model completed a response without calling a tool.

    :param stop_hook_active: whether the turn was already continued by a stop hook.
    :param last_assistant_message: the last message of the model, or ``None``.
    """

    stop_hook_active: bool = False
    last_assistant_message: str | None = None


@frozen(kw_only=True)
class SubagentStartEvent(LifecycleEvent):
    """A subagent starts; ``agent_id`` and ``agent_type`` name it."""


@frozen(kw_only=True)
class SubagentStopEvent(LifecycleEvent):
    """A subagent completed its response.

    :param agent_transcript_path: file of the rollout of the subagent, or ``None``.
    :param stop_hook_active: whether its turn was already continued by a hook.
    :param last_assistant_message: its last message, or ``None``.
    """

    agent_transcript_path: str | None = None
    stop_hook_active: bool = False
    last_assistant_message: str | None = None


@frozen(kw_only=True)
class CompactEvent(LifecycleEvent):
    """The history is about to be, or has been, compacted.

    :param trigger: whether the user requested it, or the context was full.
    """

    trigger: Literal["manual", "auto"] = "auto"


@frozen(kw_only=True)
class InterruptEvent(LifecycleEvent):
    """The user interrupted the turn."""


@frozen(kw_only=True)
class SessionEndEvent(LifecycleEvent):
    """The thread is unloaded or the program ends.

    :param reason: why the thread is unloaded; ``other`` if unknown.
    """

    reason: str = "other"


@frozen(kw_only=True)
class PreModelRequestEvent(LifecycleEvent):
    """A request to the model is about to be sent."""


@frozen(kw_only=True)
class PostModelRequestEvent(LifecycleEvent):
    """A request to the model ended.

    :param status: ``completed`` or ``failed``.
    :param error: why it failed, for users.
    :param token_usage: its token usage; ``None`` if not reported by the provider.
    """

    status: str = "completed"
    error: str | None = None
    token_usage: TokenUsage | None = None


@frozen(kw_only=True)
class Verdict(Checked):
    """Base of the verdicts of lifecycle hooks; ``None`` instead of a verdict means no opinion.

    :param contexts: texts for the model, each sent as one developer message.
    :param stop_reason: end the turn (for tool hooks: replace the output); takes precedence over every block.
    """

    contexts: tuple[str, ...] = ()
    stop_reason: str | None = None

    @classmethod
    def refusal(cls, message: str) -> Self:
        """Return the verdict of a failed implementation that fails closed."""
        return cls(stop_reason=message)

    @classmethod
    def confirmation(cls, message: str) -> Self:
        """Return the verdict of a failed implementation for which the user is asked."""
        return cls.refusal(message)


@frozen(kw_only=True)
class SessionStartVerdict(Verdict):
    """Verdict of ``session_start``; ``stop_reason`` ends the turn before any model request."""


@frozen(kw_only=True)
class UserPromptVerdict(Verdict):
    """Verdict of ``user_prompt_submit``.

    :param block_reason: refuse the prompt; it does not enter the history, the contexts do.
    """

    block_reason: str | None = None

    @classmethod
    def refusal(cls, message: str) -> Self:
        """Return the verdict of a failed implementation that fails closed."""
        return cls(block_reason=message)


@frozen(kw_only=True)
class PreToolUseVerdict(Verdict):
    """Verdict of ``pre_tool_use``.

    :param deny_reason: refuse the call, with this reason for the model.
    :param ask_reason: require the user's approval, regardless of the approval policy; if no client can be asked, or the
        policy is ``never``, the call is refused with this reason for the model.
    :param updated_input: input that replaces ``tool_input``, of the same shape.
    """

    deny_reason: str | None = None
    ask_reason: str | None = None
    updated_input: JsonObject | None = None

    @classmethod
    def deny(cls, reason: str) -> Self:
        """Refuse the call."""
        return cls(deny_reason=reason_of(reason, of="PreToolUseVerdict.deny"))

    @classmethod
    def ask(cls, reason: str) -> Self:
        """Require the user's approval."""
        return cls(ask_reason=reason_of(reason, of="PreToolUseVerdict.ask"))

    @classmethod
    def confirmation(cls, message: str) -> Self:
        """Return the verdict of a failed implementation for which the user is asked."""
        return cls(ask_reason=message)

    @classmethod
    def refusal(cls, message: str) -> Self:
        """Return the verdict of a failed implementation that fails closed."""
        return cls(deny_reason=message)


@frozen(kw_only=True)
class PermissionVerdict(Verdict):
    """Verdict of ``permission_request``.

    :param behavior: ``allow`` approves without asking, ``deny`` refuses, ``ask`` asks the user even if other plugins
        allow.
    :param message: text for the model on refusal.
    """

    behavior: Literal["allow", "deny", "ask"] | None = None
    message: str | None = None

    @classmethod
    def confirmation(cls, message: str) -> Self:
        """Return the verdict of a failed implementation for which the user is asked."""
        return cls(behavior="ask", message=message)

    @classmethod
    def refusal(cls, message: str) -> Self:
        """Return the verdict of a failed implementation that fails closed."""
        return cls(behavior="deny", message=message)


@frozen(kw_only=True)
class PostToolUseVerdict(Verdict):
    """Verdict of ``post_tool_use``.

    :param feedback: texts that replace the tool's output, joined by a blank line.
    """

    feedback: tuple[str, ...] = ()

    @classmethod
    def block(cls, reason: str) -> Self:
        """Replace the tool's output by a reason."""
        return cls(feedback=(reason,))


@frozen
class ContinuationPrompt(Checked):
    """A prompt of a stop hook that continues the turn.

    :param text: text for the model.
    :param run_id: id of the hook run; filled in by the host if empty.
    """

    text: str
    run_id: str = ""


@frozen(kw_only=True)
class StopVerdict(Verdict):
    """Verdict of ``stop`` and ``subagent_stop``.

    :param prompts: prompts that continue the turn.
    """

    prompts: tuple[ContinuationPrompt, ...] = ()

    @classmethod
    def block(cls, reason: str) -> Self:
        """Continue the turn with a prompt.

        :param reason: the prompt.
        :raises ValueError: when it is blank.
        """
        if not reason_of(reason, of="StopVerdict.block").strip():
            raise ValueError("a block needs a reason")
        return cls(prompts=(ContinuationPrompt(reason),))


@frozen(kw_only=True)
class SubagentStartVerdict(Verdict):
    """Verdict of ``subagent_start``: context only."""


@frozen(kw_only=True)
class CompactVerdict(Verdict):
    """Verdict of ``pre_compact`` and ``post_compact``; ``stop_reason`` ends the turn."""


@frozen(kw_only=True)
class InterruptVerdict(Verdict):
    """Verdict of ``interrupt``: a message for the user.

    :param system_message: text for the user.
    """

    system_message: str | None = None
