"""What lifecycle hooks are told and what they may answer."""

from __future__ import annotations

from typing import Any, Literal, Self

from codex_hookspecs.types._checking import Checked, reason_of
from codex_hookspecs.types.json import JsonObject
from codex_hookspecs.types.threads import TokenUsage
from codex_hookspecs.values import frozen

PermissionMode = Literal["default", "acceptEdits", "plan", "dontAsk", "bypassPermissions"]


@frozen(kw_only=True)
class LifecycleEvent:
    """What every event tells.

    :param session_id: the thread; for a subagent the parent's.
    :param turn_id: the turn, or ``None`` outside of one.
    :param transcript_path: file of the thread's rollout, or ``None`` when there is none.
    :param cwd: absolute working directory of the turn.
    :param model: name of the model that the thread has.
    :param permission_mode: approval policy in the words of hook scripts.
    :param agent_id: thread of the subagent the event happens in, or ``None``.
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
    """The first turn of a loaded thread begins.

    :param source: how the thread came to be.
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

    :param tool_name: name that hooks know it by: ``Bash`` for every shell tool, else the tool's own.
    :param tool_input: ``{"command": …}`` for shell tools and patches, else the arguments.
    :param tool_use_id: id of the call.
    :param matcher_aliases: further names that a matcher may use, e.g. ``Write`` and ``Edit`` for a patch.
    :param workdir: absolute directory that the call works in, when it is not that of the turn.
    """

    tool_name: str
    tool_input: Any
    tool_use_id: str
    matcher_aliases: tuple[str, ...] = ()
    workdir: str | None = None


@frozen(kw_only=True)
class PermissionRequestEvent(LifecycleEvent):
    """A person is about to be asked for an approval.

    :param tool_name: as in ``pre_tool_use``.
    :param tool_input: as in ``pre_tool_use``.
    :param tool_use_id: id of the call.
    :param matcher_aliases: further names that a matcher may use.
    :param workdir: absolute directory that the call works in, when it is not that of the turn.
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
    :param tool_input: as in ``pre_tool_use``, with what a hook put in its place.
    :param tool_response: what the tool gave, for shell tools the bare output text.
    :param tool_use_id: id of the call.
    :param matcher_aliases: further names that a matcher may use.
    :param workdir: absolute directory that the call worked in, when it is not that of the turn.
    """

    tool_name: str
    tool_input: Any
    tool_response: Any
    tool_use_id: str
    matcher_aliases: tuple[str, ...] = ()
    workdir: str | None = None


@frozen(kw_only=True)
class StopEvent(LifecycleEvent):
    """The model ended its answer without calling a tool.

    :param stop_hook_active: the turn already goes on because of a stop hook.
    :param last_assistant_message: the last thing the model said, or ``None``.
    """

    stop_hook_active: bool = False
    last_assistant_message: str | None = None


@frozen(kw_only=True)
class SubagentStartEvent(LifecycleEvent):
    """A subagent begins; ``agent_id`` and ``agent_type`` name it."""


@frozen(kw_only=True)
class SubagentStopEvent(LifecycleEvent):
    """A subagent ended its answer.

    :param agent_transcript_path: file of the rollout of the subagent, or ``None``.
    :param stop_hook_active: its turn already goes on because of a hook.
    :param last_assistant_message: the last thing it said, or ``None``.
    """

    agent_transcript_path: str | None = None
    stop_hook_active: bool = False
    last_assistant_message: str | None = None


@frozen(kw_only=True)
class CompactEvent(LifecycleEvent):
    """The history is about to be, or has been, compacted.

    :param trigger: whether the user asked for it, or the context was full.
    """

    trigger: Literal["manual", "auto"] = "auto"


@frozen(kw_only=True)
class InterruptEvent(LifecycleEvent):
    """The user interrupted the turn."""


@frozen(kw_only=True)
class SessionEndEvent(LifecycleEvent):
    """The thread is unloaded or the program ends.

    :param reason: why the thread is let go of; ``other`` when nothing more is known.
    """

    reason: str = "other"


@frozen(kw_only=True)
class PreModelRequestEvent(LifecycleEvent):
    """A request to the model is about to be sent."""


@frozen(kw_only=True)
class PostModelRequestEvent(LifecycleEvent):
    """A request to the model ended.

    :param status: ``completed`` or ``failed``.
    :param error: why it failed, in words for people.
    :param token_usage: tokens that it took; ``None`` when the provider did not say.
    """

    status: str = "completed"
    error: str | None = None
    token_usage: TokenUsage | None = None


@frozen(kw_only=True)
class Verdict(Checked):
    """Base of what a lifecycle hook answers; ``None`` instead of a verdict means no opinion.

    :param contexts: texts for the model, each sent as one developer message.
    :param stop_reason: end the turn (tool hooks: replace the output); beats every block.
    """

    contexts: tuple[str, ...] = ()
    stop_reason: str | None = None

    @classmethod
    def refusal(cls, message: str) -> Self:
        """Return the answer of an implementation that failed where failing closed is wanted."""
        return cls(stop_reason=message)

    @classmethod
    def confirmation(cls, message: str) -> Self:
        """Return the answer of an implementation that failed where a person is to decide."""
        return cls.refusal(message)


@frozen(kw_only=True)
class SessionStartVerdict(Verdict):
    """Answer to ``session_start``; ``stop_reason`` ends the turn before any model request."""


@frozen(kw_only=True)
class UserPromptVerdict(Verdict):
    """Answer to ``user_prompt_submit``.

    :param block_reason: refuse the prompt; it does not enter the history, the contexts do.
    """

    block_reason: str | None = None

    @classmethod
    def refusal(cls, message: str) -> Self:
        """Return the answer of an implementation that failed where failing closed is wanted."""
        return cls(block_reason=message)


@frozen(kw_only=True)
class PreToolUseVerdict(Verdict):
    """Answer to ``pre_tool_use``.

    :param deny_reason: do not run the tool; the model is told why.
    :param ask_reason: run the tool only when a person agrees, whatever the approval policy asks about; where nobody
        can be asked, as under the policy ``never``, it is not run and the model is told this reason.
    :param updated_input: run the tool with this input instead, same shape as ``tool_input``.
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
        """Leave the call to a person."""
        return cls(ask_reason=reason_of(reason, of="PreToolUseVerdict.ask"))

    @classmethod
    def confirmation(cls, message: str) -> Self:
        """Return the answer of an implementation that failed: a person decides."""
        return cls(ask_reason=message)

    @classmethod
    def refusal(cls, message: str) -> Self:
        """Return the answer of an implementation that failed where failing closed is wanted."""
        return cls(deny_reason=message)


@frozen(kw_only=True)
class PermissionVerdict(Verdict):
    """Answer to ``permission_request``.

    :param behavior: ``allow`` runs without asking anybody, ``deny`` refuses, ``ask`` leaves it to the person whatever
        other plugins allow.
    :param message: what the model is told on refusal.
    """

    behavior: Literal["allow", "deny", "ask"] | None = None
    message: str | None = None

    @classmethod
    def confirmation(cls, message: str) -> Self:
        """Return the answer of an implementation that failed: a person decides."""
        return cls(behavior="ask", message=message)

    @classmethod
    def refusal(cls, message: str) -> Self:
        """Return the answer of an implementation that failed where failing closed is wanted."""
        return cls(behavior="deny", message=message)


@frozen(kw_only=True)
class PostToolUseVerdict(Verdict):
    """Answer to ``post_tool_use``.

    :param feedback: texts that replace the tool's output, joined by a blank line.
    """

    feedback: tuple[str, ...] = ()

    @classmethod
    def block(cls, reason: str) -> Self:
        """Replace the tool's output by a reason."""
        return cls(feedback=(reason,))


@frozen
class ContinuationPrompt(Checked):
    """What a stop hook wants done next.

    :param text: what the model is told.
    :param run_id: id of the hook run; the host fills it in when it is empty.
    """

    text: str
    run_id: str = ""


@frozen(kw_only=True)
class StopVerdict(Verdict):
    """Answer to ``stop`` and ``subagent_stop``.

    :param prompts: any prompt sends the agent back to work in the same turn.
    """

    prompts: tuple[ContinuationPrompt, ...] = ()

    @classmethod
    def block(cls, reason: str) -> Self:
        """Send the agent back to work.

        :param reason: what it shall do.
        :raises ValueError: when it is blank.
        """
        if not reason_of(reason, of="StopVerdict.block").strip():
            raise ValueError("a block needs a reason")
        return cls(prompts=(ContinuationPrompt(reason),))


@frozen(kw_only=True)
class SubagentStartVerdict(Verdict):
    """Answer to ``subagent_start``: context only."""


@frozen(kw_only=True)
class CompactVerdict(Verdict):
    """Answer to ``pre_compact`` and ``post_compact``; ``stop_reason`` ends the turn."""


@frozen(kw_only=True)
class InterruptVerdict(Verdict):
    """Answer to ``interrupt``: a message for the user.

    :param system_message: text for the user.
    """

    system_message: str | None = None
