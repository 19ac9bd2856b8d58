"""The lifecycle events that command hooks can name, in the order in which handlers are numbered."""

from __future__ import annotations

from enum import Enum
from typing import Literal

from attrs import field

from codex_hookspecs import frozen

Subject = Literal["tool_name", "source", "trigger", "agent_type", "reason"]
Scope = Literal["thread", "turn"]

DEFAULT_TIMEOUT = 600
BRIEF_TIMEOUT = 1
BRIEF_LONGEST = 3


@frozen
class EventFacts:
    """What is fixed about one event (format of Codex 0.169).

    :param name: spelling in files and payloads.
    :param subject: payload key that matchers look at; ``None`` when the event ignores matchers.
    :param phrase: how texts about invalid output call the event.
    :param scope: whether a run belongs to the thread or to its turn.
    :param takes_context: handlers can add to the conversation.
    :param brief: something waits for the handlers, so they get little time and can't be detached.
    """

    name: str
    subject: Subject | None
    phrase: str
    scope: Scope = field(default="turn", kw_only=True)
    takes_context: bool = field(default=False, kw_only=True)
    brief: bool = field(default=False, kw_only=True)

    @property
    def snake(self) -> str:
        """The spelling in trust keys."""
        return "".join(f"_{c.lower()}" if c.isupper() else c for c in self.name).lstrip("_")

    @property
    def kebab(self) -> str:
        """The spelling in run ids."""
        return self.snake.replace("_", "-")

    @property
    def camel(self) -> str:
        """The spelling on the wire."""
        return self.name[0].lower() + self.name[1:]


class Event(Enum):
    """One lifecycle event; members stand in numbering order."""

    PRE_MODEL_REQUEST = EventFacts("PreModelRequest", None, "PreModelRequest hook")
    POST_MODEL_REQUEST = EventFacts("PostModelRequest", None, "PostModelRequest hook")
    PRE_TOOL_USE = EventFacts("PreToolUse", "tool_name", "pre-tool-use", takes_context=True)
    PERMISSION_REQUEST = EventFacts("PermissionRequest", "tool_name", "permission-request")
    POST_TOOL_USE = EventFacts("PostToolUse", "tool_name", "post-tool-use", takes_context=True)
    PRE_COMPACT = EventFacts("PreCompact", "trigger", "PreCompact hook")
    POST_COMPACT = EventFacts("PostCompact", "trigger", "PostCompact hook")
    SESSION_START = EventFacts("SessionStart", "source", "session start", scope="thread", takes_context=True)
    SESSION_END = EventFacts("SessionEnd", "reason", "session end", brief=True)
    USER_PROMPT_SUBMIT = EventFacts("UserPromptSubmit", None, "user prompt submit", takes_context=True)
    SUBAGENT_START = EventFacts("SubagentStart", "agent_type", "subagent start", scope="thread", takes_context=True)
    SUBAGENT_STOP = EventFacts("SubagentStop", "agent_type", "subagent stop hook")
    STOP = EventFacts("Stop", None, "stop hook")
    INTERRUPT = EventFacts("Interrupt", None, "interrupt hook", brief=True)

    @property
    def facts(self) -> EventFacts:
        """What is fixed about the event."""
        return self.value


EVENTS_BY_NAME: dict[str, Event] = {event.facts.name: event for event in Event}
EVENTS_BY_CAMEL: dict[str, Event] = {event.facts.camel: event for event in Event}
