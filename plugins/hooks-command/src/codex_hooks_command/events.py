"""The lifecycle events that command hooks can name, in the order in which handlers are numbered."""

from __future__ import annotations

from enum import Enum
from typing import Literal

from attrs import field

from codex_hookspecs import frozen

Subject = Literal["tool_name", "source", "trigger", "agent_type", "reason"]
Scope = Literal["thread", "turn"]

DEFAULT_TIMEOUT = 600
SHORT_TIMEOUT = 1
MAX_SHORT_TIMEOUT = 3


@frozen
class EventSpec:
    """Properties of an event (format of Codex 0.169).

    :param name: name in files and payloads.
    :param subject: payload key that matchers match; ``None`` when the event ignores matchers.
    :param phrase: name of the event in messages about invalid output.
    :param scope: whether a run belongs to the thread or to its turn.
    :param takes_context: handlers can add context to the conversation.
    :param short_timeout: the program waits for the handlers, so they have a short timeout and can't be ``async``.
    """

    name: str
    subject: Subject | None
    phrase: str
    scope: Scope = field(default="turn", kw_only=True)
    takes_context: bool = field(default=False, kw_only=True)
    short_timeout: bool = field(default=False, kw_only=True)

    @property
    def snake(self) -> str:
        """Name in trust keys."""
        return "".join(f"_{c.lower()}" if c.isupper() else c for c in self.name).lstrip("_")

    @property
    def kebab(self) -> str:
        """Name in run ids."""
        return self.snake.replace("_", "-")

    @property
    def camel(self) -> str:
        """Name on the wire."""
        return self.name[0].lower() + self.name[1:]


class Event(Enum):
    """A lifecycle event; the members are in numbering order."""

    PRE_MODEL_REQUEST = EventSpec("PreModelRequest", None, "PreModelRequest hook")
    POST_MODEL_REQUEST = EventSpec("PostModelRequest", None, "PostModelRequest hook")
    PRE_TOOL_USE = EventSpec("PreToolUse", "tool_name", "pre-tool-use", takes_context=True)
    PERMISSION_REQUEST = EventSpec("PermissionRequest", "tool_name", "permission-request")
    POST_TOOL_USE = EventSpec("PostToolUse", "tool_name", "post-tool-use", takes_context=True)
    PRE_COMPACT = EventSpec("PreCompact", "trigger", "PreCompact hook")
    POST_COMPACT = EventSpec("PostCompact", "trigger", "PostCompact hook")
    SESSION_START = EventSpec("SessionStart", "source", "session start", scope="thread", takes_context=True)
    SESSION_END = EventSpec("SessionEnd", "reason", "session end", short_timeout=True)
    USER_PROMPT_SUBMIT = EventSpec("UserPromptSubmit", None, "user prompt submit", takes_context=True)
    SUBAGENT_START = EventSpec("SubagentStart", "agent_type", "subagent start", scope="thread", takes_context=True)
    SUBAGENT_STOP = EventSpec("SubagentStop", "agent_type", "subagent stop hook")
    STOP = EventSpec("Stop", None, "stop hook")
    INTERRUPT = EventSpec("Interrupt", None, "interrupt hook", short_timeout=True)

    @property
    def spec(self) -> EventSpec:
        """Properties of the event."""
        return self.value


EVENTS_BY_NAME: dict[str, Event] = {event.spec.name: event for event in Event}
EVENTS_BY_CAMEL: dict[str, Event] = {event.spec.camel: event for event in Event}
